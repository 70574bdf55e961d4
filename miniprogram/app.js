const config = require('./config.js');
const links = require('./links.js');
const opening = require('./opening.js');

App({
  onLaunch() {
    const problem = links.problemOf(config);
    if (problem) console.error(problem);
  },

  // 旧的分享卡片可能指向已经没有的页面。
  onPageNotFound() {
    opening.home();
  },
});
