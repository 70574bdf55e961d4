// What the map will need is fetched at once, by a script so that nothing is asked for where none runs.
for (const { content } of document.querySelectorAll("meta[name=early]")) {
  const kind = content.includes(".js") ? { as: "script" } : { as: "fetch", crossOrigin: "anonymous" };
  const early = { rel: "preload", href: content, fetchPriority: "low", ...kind };
  document.head.append(Object.assign(document.createElement("link"), early));
}
