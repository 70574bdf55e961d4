// 什么可以打开：只有本服务自己的网页。不知道页面长什么样，也不调用 wx。
const config = require('./config.js');
const paths = require('./paths.js');

const LONGEST = 2000;
// 保留给文档用的域名，没有人能登记。
const PLACEHOLDER = /\.example$/;

// 位置二维码的编号用 32 个字符书写，没有 I、L、O、U；手工输入时 I、L 当作 1，O 当作 0。
const CODE = /^[0-9A-HJKMNP-TV-Z]{18}$/;
const READ_AS = { I: '1', L: '1', O: '0' };

// 配置有什么不对；没有问题时是空字符串。
function problemOf(given) {
  const base = given.baseUrl;
  const domain = /^https:\/\/((?:[a-z0-9-]+\.)+[a-z]{2,})$/;
  if (typeof base !== 'string' || !domain.test(base)) {
    return 'config.js 里的 baseUrl 须是 https 开头的域名，不带端口、路径和末尾的斜杠。';
  }
  if (PLACEHOLDER.test(base)) {
    return 'config.js 里的 baseUrl 还是占位地址，请改为本服务的对外地址。';
  }
  if (!Array.isArray(given.templateIds) || given.templateIds.length > 3) {
    return 'config.js 里的 templateIds 须是列表，最多三个模板编号。';
  }
  return '';
}

// 小程序页面的参数须自己解码一次；解不开的当作没有。
function decoded(value) {
  try {
    return decodeURIComponent(value === undefined ? '' : value);
  } catch (error) {
    return '';
  }
}

// 本服务的链接或路径 → 以斜杠开头的路径（带参数）；别处的、形式可疑的 → null。
function ownPath(link) {
  if (typeof link !== 'string' || link.length > LONGEST) return null;
  if (problemOf(config)) return null;
  // 空白、控制字符、反斜杠会被不同的程序读成不同的地址。
  if (/[\s\\\u0000-\u001f\u007f]/.test(link)) return null;
  let path = link;
  if (link[0] !== '/') {
    const head = link.slice(0, config.baseUrl.length).toLowerCase();
    if (head !== config.baseUrl) return null;
    path = link.slice(config.baseUrl.length);
    if (path === '' || path[0] === '?' || path[0] === '#') path = `/${path}`;
  }
  if (path[0] !== '/' || path[1] === '/') return null;
  const steps = paths.bareOf(path).split('/');
  if (steps.some((step) => /^(\.|%2e)+$/i.test(step))) return null;
  return path;
}

// 完整网址；调用前路径须已由 ownPath 看过。
function addressOf(path) {
  return config.baseUrl + path;
}

// 手工输入的位置编号 → 规范的 18 个字符；不是编号 → null。
function placeCode(typed) {
  const signs = String(typed).toUpperCase().replace(/[\s-]/g, '');
  const code = signs.replace(/[ILO]/g, (sign) => READ_AS[sign]);
  return CODE.test(code) ? code : null;
}

// 扫到的文字 → 要打开的路径；不是本服务的 → null。
function scannedPath(text) {
  const path = ownPath(String(text).trim());
  if (path === null) return null;
  const bare = paths.bareOf(path);
  if (bare.indexOf(paths.PLACE_CODE) !== 0) return path;
  const code = placeCode(decoded(bare.slice(paths.PLACE_CODE.length)));
  return code === null ? null : paths.PLACE_CODE + code;
}

module.exports = { problemOf, decoded, ownPath, addressOf, placeCode, scannedPath };
