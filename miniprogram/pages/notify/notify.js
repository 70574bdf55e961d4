// 订阅消息：微信要求在原生页上由用户亲手点按才能询问，网页里问不了，所以单有这一页。
const config = require('../../config.js');
const look = require('../../look.js');
const opening = require('../../opening.js');

// 最近一次的结果留在手机里：{ at: 毫秒, answers: { 模板编号: accept | reject | ban | filter } }。
const KEPT = 'notify';

const WORDS = {
  accept: '已记下您的同意。办理有进展时，微信会提醒您；每同意一次，每种通知提醒一次。',
  some: '已记下：您同意了其中一部分。其余的进展，可在“我的上报”里查看。',
  reject: '您没有同意，上报和办理都不受影响。进展可在“我的上报”里随时查看。',
  ban: '这些通知目前发不出去，我们会尽快处理。进展可在“我的上报”里查看。',
  off: '您在微信里关闭了本小程序的通知。需要时，点右上角“…”，在“设置”里打开“通知管理”。',
  old: '您的微信版本较低，不支持通知。升级微信后再试；进展可在“我的上报”里查看。',
  failed: '没有问成，可能是网络不稳。请再点一次；进展可在“我的上报”里查看。',
};

Page({
  data: { elder: false, rootSize: '16px', open: false, words: '', done: false },

  onLoad() {
    this.setData(look.read());
    this.setData({ open: config.templateIds.length > 0 });
  },

  // 只由点按调用；中间不能隔着别的异步步骤，否则微信不认这次点按。
  onAsk() {
    if (!wx.requestSubscribeMessage) {
      this.setData({ words: WORDS.old });
      return;
    }
    wx.requestSubscribeMessage({
      tmplIds: config.templateIds,
      success: (told) => this.record(told),
      fail: (error) => {
        this.setData({ words: error.errCode === 20004 ? WORDS.off : WORDS.failed });
      },
    });
  },

  record(told) {
    const answers = {};
    config.templateIds.forEach((id) => {
      answers[id] = told[id] || 'filter';
    });
    wx.setStorageSync(KEPT, { at: Date.now(), answers });
    this.setData({ words: WORDS[summed(answers)], done: true });
  },

  onBack() {
    opening.back();
  },
});

function summed(answers) {
  const given = Object.keys(answers).map((id) => answers[id]);
  if (given.every((answer) => answer === 'accept')) return 'accept';
  if (given.some((answer) => answer === 'accept')) return 'some';
  return given.some((answer) => answer === 'reject') ? 'reject' : 'ban';
}
