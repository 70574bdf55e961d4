// 最近一个月的典型案例。含网页的页不能分享到朋友圈，所以这一页用原生的写。
const config = require('../../config.js');
const links = require('../../links.js');
const look = require('../../look.js');
const opening = require('../../opening.js');
const paths = require('../../paths.js');

const SINGLE_PAGE = 1154; // 从朋友圈打开的“单页模式”：不能去别的页，也没有本机的设置
const MONTH = /^20\d\d-(0[1-9]|1[0-2])$/;

Page({
  data: {
    elder: false,
    rootSize: '16px',
    state: 'loading', // loading 正在读，shown 有内容，empty 没有公开的，failed 没有读到
    title: '典型案例',
    month: '',
    cases: [],
    single: false,
  },

  onLoad(options) {
    this.setData(look.read());
    this.setData({ single: wx.getLaunchOptionsSync().scene === SINGLE_PAGE });
    this.wanted = MONTH.test(options.month) ? options.month : '';
    this.load();
  },

  load() {
    if (links.problemOf(config)) {
      this.setData({ state: 'failed' });
      return;
    }
    this.setData({ state: 'loading' });
    if (this.wanted) this.read(this.wanted);
    else {
      this.ask(paths.TYPICAL_MONTHS, (told) => {
        const shown = told.months.filter((line) => line.shown > 0).map((line) => line.month);
        if (shown.length === 0) this.setData({ state: 'empty' });
        else this.read(shown.sort()[shown.length - 1]);
      });
    }
  },

  read(month) {
    this.ask(`${paths.TYPICAL_MONTHS}/${month}`, (told) => {
      const cases = told.entries.filter((entry) => entry.state === 'shown').map(publicPart);
      const state = cases.length === 0 ? 'empty' : 'shown';
      this.setData({ state, cases, month: told.month, title: told.title });
    });
  },

  // 读一份公开数据；读不到、读不懂都是 failed，没有这个月是 empty。
  ask(path, then) {
    wx.request({
      url: links.addressOf(path),
      timeout: 10000,
      success: (answer) => {
        if (answer.statusCode === 404) this.setData({ state: 'empty' });
        else if (answer.statusCode !== 200) this.setData({ state: 'failed' });
        else {
          try {
            then(answer.data);
          } catch (error) {
            this.setData({ state: 'failed' });
          }
        }
      },
      fail: () => this.setData({ state: 'failed' }),
    });
  },

  onAgain() {
    this.load();
  },

  onAll() {
    const month = this.data.month || undefined;
    opening.web(paths.PAGES.typicalCases, { month });
  },

  onShareAppMessage() {
    return { title: this.shared(), path: `/pages/typical/typical${this.mark('?')}` };
  },

  onShareTimeline() {
    return { title: this.shared(), query: this.mark('') };
  },

  shared() {
    return `海淀随手拍：${this.data.title}`;
  },

  mark(before) {
    return this.data.month ? `${before}month=${this.data.month}` : '';
  },
});

// 一件案例里给人看的部分。
function publicPart(entry) {
  const pictures = entry.before.concat(entry.after).map((picture) => ({
    url: links.addressOf(picture.url),
    alt: picture.alt,
  }));
  return {
    id: entry.id,
    title: entry.title,
    caption: entry.caption,
    figures: `${entry.outcome_name}，用时${entry.taken}，${entry.raters}人评价，满意度${entry.satisfaction}分`,
    says: entry.says || '',
    pictures,
  };
}
