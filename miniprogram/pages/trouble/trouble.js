// 打不开时的说明：为什么，现在可以做什么。
const links = require('../../links.js');
const look = require('../../look.js');
const opening = require('../../opening.js');

const WORDS = {
  offline: {
    title: '手机没有连上网络',
    words: '请打开移动数据或无线网络。已经提交的上报不会丢。',
  },
  load: {
    title: '页面没有打开',
    words: '可能是网络不稳，或服务正在维护，请稍等片刻再试。已经提交的上报不会丢。',
  },
  foreign: {
    title: '这个网页不属于海淀随手拍',
    words: '为了安全，没有打开。请从首页进入您要的功能。',
  },
  config: {
    title: '小程序还没有配置好',
    words: '请联系管理员。需要反映问题，可先拨打 12345。',
  },
};

Page({
  data: { elder: false, rootSize: '16px', title: '', words: '', path: '', online: false },

  onLoad(options) {
    const why = Object.prototype.hasOwnProperty.call(WORDS, options.why) ? options.why : 'load';
    const path = links.ownPath(links.decoded(options.path)) || '';
    this.setData(look.read());
    this.setData({ title: WORDS[why].title, words: WORDS[why].words, path });
    this.heard = (now) => this.setData({ online: now.isConnected });
    if (why === 'offline') wx.onNetworkStatusChange(this.heard);
  },

  onUnload() {
    if (this.heard) wx.offNetworkStatusChange(this.heard);
  },

  onAgain() {
    opening.web(this.data.path, {}, true);
  },

  onHome() {
    opening.home();
  },

  onCall() {
    wx.makePhoneCall({ phoneNumber: '12345' });
  },
});
