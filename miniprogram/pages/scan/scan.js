// 位置二维码：再扫一次，或手工输入编号；用微信“扫一扫”扫普通二维码进来的也到这里。
const links = require('../../links.js');
const look = require('../../look.js');
const opening = require('../../opening.js');
const paths = require('../../paths.js');

const PROBLEMS = {
  foreign: '这不是海淀随手拍的位置二维码，没有打开。请扫公告牌上印有“海淀随手拍”的二维码，或直接上报。',
  camera: '没有扫成。请允许微信使用摄像头，或在下面输入二维码旁的编号。',
  code: '编号是 18 个字符，由数字和字母组成，请对照二维码旁的编号核对。',
};

Page({
  data: { elder: false, rootSize: '16px', typed: '', problem: '' },

  onLoad(options) {
    this.setData(look.read());
    if (options.q !== undefined) this.follow(links.decoded(options.q), true);
    else if (Object.prototype.hasOwnProperty.call(PROBLEMS, options.problem)) {
      this.setData({ problem: PROBLEMS[options.problem] });
    }
  },

  onScan() {
    this.setData({ problem: '' });
    wx.scanCode({
      scanType: ['qrCode'],
      success: (scanned) => this.follow(scanned.result, false),
      fail: (error) => {
        if (!/cancel/.test(error.errMsg || '')) this.setData({ problem: PROBLEMS.camera });
      },
    });
  },

  // 只跟随本服务的链接。
  follow(text, replace) {
    const path = links.scannedPath(text);
    if (path === null) this.setData({ problem: PROBLEMS.foreign });
    else opening.web(path, {}, replace);
  },

  onTyping(event) {
    this.setData({ typed: event.detail.value });
  },

  onTyped() {
    const code = links.placeCode(this.data.typed);
    this.setData({ problem: code === null ? PROBLEMS.code : '' });
    if (code !== null) opening.web(paths.PLACE_CODE + code);
  },

  onReport() {
    opening.web(paths.PAGES.report);
  },
});
