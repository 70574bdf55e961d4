// 从一个原生页到另一个：打开网页，或说明打不开的原因。
const paths = require('./paths.js');

const HOME = '/pages/report/report';

// 正在前往另一页：手抖多点的一下不再打开第二页。
let leaving = false;

// 去一个原生页，可以返回。
function page(url) {
  if (leaving) return;
  leaving = true;
  wx.navigateTo({
    url,
    complete: () => {
      leaving = false;
    },
  });
}

// 打开本服务的一个网页；replace 为真时不留在返回的路上。
function web(path, added, replace) {
  const wanted = paths.withQuery(path, added || {});
  const url = `/pages/web/web?path=${encodeURIComponent(wanted)}`;
  if (replace) wx.redirectTo({ url });
  else page(url);
}

// why：offline 没有网络，load 打不开，foreign 不是本服务的网页，config 尚未配置好。
function trouble(why, path) {
  const again = path ? `&path=${encodeURIComponent(path)}` : '';
  wx.redirectTo({ url: `/pages/trouble/trouble?why=${why}${again}` });
}

// 回到上一页；没有上一页时回首页。
function back() {
  if (getCurrentPages().length > 1) wx.navigateBack({ delta: 1 });
  else home();
}

function home() {
  wx.reLaunch({ url: HOME });
}

module.exports = { HOME, page, web, trouble, back, home };
