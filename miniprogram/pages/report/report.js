// 首页：上报、我的上报、典型案例、查进度、扫码上报；长辈版的开关和通知的入口。
const links = require('../../links.js');
const look = require('../../look.js');
const opening = require('../../opening.js');
const paths = require('../../paths.js');

Page({
  data: { elder: false, rootSize: '16px', locating: false },

  onShow() {
    this.setData(look.read());
    this.setData({ locating: false });
    this.asked = null;
  },

  onHide() {
    this.asked = null;
  },

  // 先定位再打开上报页。拒绝定位或定不到位，照样打开；不想等的再点一次。
  onReport() {
    if (this.data.locating) {
      this.openReport({});
      return;
    }
    // 迟到的位置不再理会：那时人已经在上报页，或去了别处。
    const turn = {};
    this.asked = turn;
    this.setData({ locating: true });
    wx.getLocation({
      type: paths.CRS,
      isHighAccuracy: true,
      highAccuracyExpireTime: 4000,
      success: (found) => {
        if (this.asked === turn) this.openReport(placed(found));
      },
      fail: () => {
        if (this.asked === turn) this.openReport({});
      },
    });
  },

  openReport(place) {
    this.asked = null;
    this.setData({ locating: false });
    opening.web(paths.PAGES.report, place);
  },

  onMine() {
    opening.web(paths.PAGES.mine);
  },

  onStatus() {
    opening.web(paths.PAGES.status);
  },

  onTypical() {
    opening.page('/pages/typical/typical');
  },

  onScan() {
    wx.scanCode({
      scanType: ['qrCode'],
      success: (scanned) => {
        const path = links.scannedPath(scanned.result);
        if (path === null) opening.page('/pages/scan/scan?problem=foreign');
        else opening.web(path);
      },
      fail: (error) => {
        // 自己取消的不用说明。
        if (/cancel/.test(error.errMsg || '')) return;
        opening.page('/pages/scan/scan?problem=camera');
      },
    });
  },

  onNotify() {
    opening.page('/pages/notify/notify');
  },

  onElder() {
    look.setElder(!this.data.elder);
    this.setData(look.read());
  },

  onShareAppMessage() {
    return { title: '海淀随手拍：拍下身边的问题', path: opening.HOME };
  },

  onShareTimeline() {
    return { title: '海淀随手拍：拍下身边的问题', query: '' };
  },
});

// 位置写进上报页的参数；数字不对就当没有。
function placed(found) {
  const lon = Number(found.longitude);
  const lat = Number(found.latitude);
  if (!(lon > 0 && lon < 180 && lat > 0 && lat < 90)) return {};
  const accuracy = Number(found.accuracy);
  return {
    lon: lon.toFixed(6),
    lat: lat.toFixed(6),
    crs: paths.CRS,
    accuracy_m: accuracy > 0 ? Math.ceil(accuracy) : undefined,
  };
}
