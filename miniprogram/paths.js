// 本服务网页（H5）的路径和参数：小程序与网页之间的全部约定，都写在这里。

// 网页。
const PAGES = {
  report: '/report',
  mine: '/my',
  status: '/status',
  typicalCases: '/typical-cases',
};

// 位置二维码的短链接：/q/ 后面是 18 个字符的编号。
const PLACE_CODE = '/q/';

// 公开的典型案例数据，给“典型案例”原生页用。
const TYPICAL_MONTHS = '/api/v1/typical-cases';

// 每次打开网页都带的参数：
//   channel=miniprogram  来源渠道
//   elder=1              长辈版
//   scale=1.25           根字号是标准的几倍；等于 1 时不带
// 上报页还可以带位置：lon、lat（度，六位小数）、crs（坐标系）、accuracy_m（精度，米）。
const CHANNEL = 'miniprogram';

// wx.getLocation 按 gcj02 取得的位置是 GCJ-02，必须这样说明，否则会偏出几百米。
const CRS = 'gcj02';

// 把参数加到路径上；同名的旧参数去掉，井号后的部分留在最后。值为 undefined 或空的不加。
function withQuery(path, added) {
  const hash = path.indexOf('#') < 0 ? '' : path.slice(path.indexOf('#'));
  const bare = path.slice(0, path.length - hash.length);
  const mark = bare.indexOf('?');
  const kept = (mark < 0 ? '' : bare.slice(mark + 1))
    .split('&')
    .filter((pair) => pair && !(pair.split('=')[0] in added));
  const pairs = Object.keys(added)
    .filter((name) => added[name] !== undefined && added[name] !== '')
    .map((name) => `${name}=${encodeURIComponent(added[name])}`);
  const query = kept.concat(pairs).join('&');
  return (mark < 0 ? bare : bare.slice(0, mark)) + (query ? `?${query}` : '') + hash;
}

// 去掉参数和井号后的部分。
function bareOf(path) {
  return path.split('#')[0].split('?')[0];
}

module.exports = { PAGES, PLACE_CODE, TYPICAL_MONTHS, CHANNEL, CRS, withQuery, bareOf };
