// Long work: that it runs, for how long, how much has come, and what to do when it fails. Without
// this the browser waits and downloads by itself.

const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** A line after an element that says what is going on, kept up each second. */
function line(after, words) {
  after.parentElement.querySelector(":scope > .working")?.remove();
  const box = document.createElement("p"), text = document.createElement("span");
  box.className = "working";
  box.setAttribute("role", "status");
  box.append(text);
  after.after(box);
  const began = performance.now();
  let got = 0;
  const tell = () => {
    const seconds = Math.round((performance.now() - began) / 1000);
    text.textContent = got ? `正在下载，已收到${size(got)}` : `${words}，已用${seconds}秒。请不要关闭页面。`;
  };
  tell();
  const timer = setInterval(tell, 1000);
  return {
    box,
    got(bytes) {
      got = bytes;
      tell();
    },
    end(said, kind) {
      clearInterval(timer);
      box.className = `working ${kind}`;
      box.setAttribute("role", kind === "failed" ? "alert" : "status");
      box.replaceChildren(said);
    },
  };
}

function name(answer) {
  const said = answer.headers.get("Content-Disposition") || "";
  const coded = said.match(/filename\*=UTF-8''([^;]+)/), plain = said.match(/filename="([^"]+)"/);
  return coded ? decodeURIComponent(coded[1]) : plain ? plain[1] : "download";
}

async function why(answer) {
  try {
    const problem = await answer.json();
    return problem.errors?.map((each) => each.message).join("；") || problem.detail || problem.title;
  } catch {
    return `服务器答复 ${answer.status}，请稍后再试。`;
  }
}

/** Fetch a file and save it, telling on the way; `after` is what was pressed or its form. */
async function save(address, after, words) {
  if (after.dataset.busy) return;
  after.dataset.busy = "yes";
  const buttons = after.matches("form") ? [...after.querySelectorAll("button")] : [];
  for (const button of buttons) button.disabled = true;
  if (!buttons.length) after.setAttribute("aria-disabled", "true");
  const told = line(after.closest(".row, p") || after, words);
  const stop = new AbortController(), cancel = document.createElement("button");
  cancel.type = "button";
  cancel.textContent = "取消";
  cancel.onclick = () => stop.abort();
  told.box.append(cancel);
  try {
    const answer = await fetch(address, { headers: { Accept: "application/octet-stream, application/json" }, signal: stop.signal });
    if (!answer.ok) {
      told.end(`没有生成：${await why(answer)}`, "failed");
      return;
    }
    const pieces = [], reader = answer.body.getReader();
    let got = 0;
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      pieces.push(piece.value);
      got += piece.value.length;
      told.got(got);
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(pieces, { type: answer.headers.get("Content-Type") || "" }));
    link.download = name(answer);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    told.end(`已下载：${link.download}（${size(got)}）`, "done");
  } catch (wrong) {
    told.end(wrong.name === "AbortError" ? "已取消，没有下载。" : "网络断开，没有下载完。请检查网络后再试一次。", "failed");
  } finally {
    delete after.dataset.busy;
    after.removeAttribute("aria-disabled");
    for (const button of buttons) button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-save]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  save(link.href, link, link.dataset.long || "正在生成文件");
});

document.addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter;
  const words = button?.dataset.long || form.dataset.long;
  if (!words || event.defaultPrevented) return;
  if (button?.dataset.long || form.hasAttribute("data-stays")) {
    line(button || form.querySelector("button") || form, words);
    return;
  }
  event.preventDefault();
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  save(`${form.getAttribute("action")}?${query}`, form, words);
});

addEventListener("pageshow", () => {
  for (const box of document.querySelectorAll(".working")) box.remove();
});
document.getElementById("told")?.focus();
