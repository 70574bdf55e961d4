// 装网页的页：只打开本服务自己的网页，带上字号和长辈版；打不开时换成说明页。
const config = require('../../config.js');
const links = require('../../links.js');
const look = require('../../look.js');
const opening = require('../../opening.js');
const paths = require('../../paths.js');

Page({
  data: { src: '' },

  onLoad(options) {
    if (links.problemOf(config)) {
      opening.trouble('config');
      return;
    }
    const path = links.ownPath(links.decoded(options.path));
    if (path === null) {
      opening.trouble('foreign');
      return;
    }
    this.path = path;
    wx.getNetworkType({
      success: (found) => {
        if (found.networkType === 'none') opening.trouble('offline', path);
        else this.show();
      },
      fail: () => this.show(),
    });
  },

  show() {
    const added = Object.assign({ channel: paths.CHANNEL }, look.query());
    this.setData({ src: links.addressOf(paths.withQuery(this.path, added)) });
  },

  // 重新打开的是进来时的网页，不是出错的那一个：那可能是一次提交，不能再用读取的方式打开。
  onError() {
    opening.trouble('load', this.path);
  },

  // 只分享典型案例的网页；其余网页可能有编号、位置或回执，分享出去的一律是首页。
  onShareAppMessage(asked) {
    const at = links.ownPath(asked && asked.webViewUrl ? asked.webViewUrl : '');
    const bare = at === null ? '' : paths.bareOf(at);
    const cases = paths.PAGES.typicalCases;
    if (bare !== cases && bare.indexOf(`${cases}/`) !== 0) {
      return { title: '海淀随手拍：拍下身边的问题', path: opening.HOME };
    }
    const month = monthOf(at);
    const path = month && bare === cases ? `${cases}?month=${month}` : bare;
    return {
      title: '海淀随手拍典型案例',
      path: `/pages/web/web?path=${encodeURIComponent(path)}`,
    };
  },
});

function monthOf(path) {
  const found = /[?&]month=(20\d\d-(?:0[1-9]|1[0-2]))(?:[&#]|$)/.exec(path);
  return found ? found[1] : '';
}
