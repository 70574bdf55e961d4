// 字有多大：微信的字体大小，和长辈版。只读设置，不画页面。
const config = require('./config.js');

const ELDER = 'elder';
const ROOT = 16;
const ELDER_TIMES = 1.25;
// 微信自己的档位大致在 0.9 到 1.9 倍之间；超出的当作误读。
const LEAST = 0.8;
const MOST = 2;

// 微信字体是标准的几倍，两位小数。苹果的标准字号是 17，安卓是 16。
function scale() {
  if (!config.followHostType) return 1;
  const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync();
  let times = info.fontSizeScaleFactor;
  if (!(times > 0)) {
    const device = wx.getDeviceInfo ? wx.getDeviceInfo() : info;
    times = info.fontSizeSetting / (device.platform === 'ios' ? 17 : 16);
  }
  if (!(times > 0)) return 1;
  return Math.round(Math.min(MOST, Math.max(LEAST, times)) * 100) / 100;
}

function isElder() {
  return wx.getStorageSync(ELDER) === '1';
}

function setElder(wanted) {
  wx.setStorageSync(ELDER, wanted ? '1' : '');
}

// 原生页用的：是否长辈版、根字号（像素）。长辈版不会因为微信字体调小而变小。
function read() {
  const elder = isElder();
  const times = scale();
  const root = elder ? ROOT * ELDER_TIMES * Math.max(1, times) : ROOT * times;
  return { elder, rootSize: `${Math.round(root * 10) / 10}px` };
}

// 网页用的参数。
function query() {
  const times = scale();
  return { elder: isElder() ? '1' : undefined, scale: times === 1 ? undefined : times };
}

module.exports = { scale, isElder, setElder, read, query };
