// The pages of the mini-program in the hands of a resident.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Client, BASE, refusal } = require('./client.cjs');
const wxml = require('./wxml.cjs');

const CODE = '0123456789ABCDEFGH';
const AT = { longitude: 116.329876543, latitude: 39.9834561, accuracy: 29.2 };

const queryOf = (address) => Object.fromEntries(new URL(address).searchParams);
const home = (host, config) => new Client(host, config).open();
const opened = (path, host, config) =>
  new Client(host, config).open(`/pages/web/web?path=${encodeURIComponent(path)}`);

// home --------------------------------------------------------------------------------------

test('each entry of the first page opens its web page', () => {
  for (const [words, path] of [['我的上报', '/my'], ['查进度', '/status']]) {
    const client = home().tap(words).settle();
    assert.equal(client.web, `${BASE}${path}?channel=miniprogram`);
  }
});

test('a report takes the position along, and says that it is GCJ-02', () => {
  const client = home({ located: AT }).tap('上报问题').settle();
  assert.equal(client.called('getLocation')[0].given.type, 'gcj02');
  assert.equal(new URL(client.web).pathname, '/report');
  assert.deepEqual(queryOf(client.web), {
    lon: '116.329877', lat: '39.983456', crs: 'gcj02', accuracy_m: '30', channel: 'miniprogram',
  });
});

test('nobody is kept from reporting by a refused, wrong or late position', () => {
  for (const located of [undefined, { longitude: 'x', latitude: 39, accuracy: 1 }, { longitude: 0, latitude: 0 }]) {
    const client = home({ located }).tap('上报问题').settle();
    assert.equal(client.web, `${BASE}/report?channel=miniprogram`);
  }
  const late = home({ located: AT }).tap('上报问题');
  assert.match(late.text(), /正在定位/);
  late.tap('正在定位').settle();
  assert.equal(late.web, `${BASE}/report?channel=miniprogram`);
  assert.equal(late.called('navigateTo').length, 1, 'what was found late opens nothing more');
  const hanging = home({ located: 'later' }).tap('上报问题').settle().tap('正在定位').settle();
  assert.equal(hanging.web, `${BASE}/report?channel=miniprogram`);
  hanging.locating.success(AT);
  hanging.settle();
  hanging.locating.fail({});
  hanging.settle();
  assert.equal(hanging.stack.length, 2, 'who is on the report page already is not sent there again');
});

test('the position is asked for by a tap on the report, and by nothing else', () => {
  const client = home({ located: AT });
  assert.equal(client.called('getLocation').length, 0);
  client.tap('我的上报').settle();
  assert.equal(client.called('getLocation').length, 0);
});

test('a finger that taps twice opens one page', () => {
  const client = home().tap('查进度').tap('查进度').settle();
  assert.equal(client.stack.length, 2);
  assert.equal(client.open().tap('我的上报').settle().web, `${BASE}/my?channel=miniprogram`);
});

// type --------------------------------------------------------------------------------------

test('the host’s type size reaches the web page and the native page', () => {
  const sizes = [
    [{ fontSizeSetting: 20 }, 'android', '1.25', '20px'],
    [{ fontSizeSetting: 17 }, 'ios', undefined, '16px'],
    [{ fontSizeSetting: 22 }, 'ios', '1.29', '20.6px'],
    [{ fontSizeSetting: 23.8, fontSizeScaleFactor: 1.4 }, 'ios', '1.4', '22.4px'],
    [{ fontSizeSetting: 15 }, 'android', '0.94', '15px'],
    [{ fontSizeSetting: 400 }, 'android', '2', '32px'],
    [{}, 'android', undefined, '16px'],
  ];
  for (const [info, platform, scale, root] of sizes) {
    const client = home({ info, platform });
    assert.equal(client.drawn()[0].attributes['root-font-size'], root);
    client.tap('查进度').settle();
    assert.equal(queryOf(client.web).scale, scale, JSON.stringify(info));
  }
  const older = home({ info: { fontSizeSetting: 20 }, missing: ['getAppBaseInfo', 'getDeviceInfo'] });
  assert.equal(queryOf(older.tap('查进度').settle().web).scale, '1.25', 'a client before 2.20.1');
  const off = home({ info: { fontSizeSetting: 20 } }, { followHostType: false });
  assert.equal(queryOf(off.tap('查进度').settle().web).scale, undefined);
});

test('长辈版 is kept, enlarges the native pages, and is told to the web page', () => {
  const client = home().tap('长辈版');
  const [meta, page] = client.drawn();
  assert.equal(meta.attributes['root-font-size'], '20px');
  assert.match(page.attributes.class, /\belder\b/);
  client.tap('查进度').settle();
  assert.equal(queryOf(client.web).elder, '1');
  client.open('/pages/notify/notify');
  assert.match(client.drawn()[1].attributes.class, /\belder\b/);
  client.open().tap('回到标准版').tap('查进度').settle();
  assert.equal(queryOf(client.web).elder, undefined);
});

test('长辈版 is never smaller than its own size where the host’s type is small', () => {
  const client = home({ info: { fontSizeSetting: 14 } }).tap('长辈版');
  assert.equal(client.drawn()[0].attributes['root-font-size'], '20px');
});

// what may be opened ------------------------------------------------------------------------

test('only pages of our own are opened', () => {
  const foreign = [
    'https://evil.example/report', `${BASE}.evil.example/`, `${BASE}@evil.example/`, `${BASE}:8443/`,
    'http://ssp.haidian.test/report', '//evil.example/', '/\\evil.example', '/report\n', 'report',
    'javascript:alert(1)', '', '/a/../b', '/%2E%2e/b', `/${'x'.repeat(3000)}`, `${BASE}\\@evil.example`,
  ];
  for (const link of foreign) {
    const client = opened(link);
    assert.equal(client.route, 'pages/trouble/trouble', link);
    assert.match(client.text(), /不属于海淀随手拍/);
    assert.doesNotMatch(client.text(), /重新打开/);
  }
  const broken = new Client().open('/pages/web/web?path=%E4%BD');
  assert.match(broken.text(), /不属于海淀随手拍/);
});

test('our own pages are opened by path or by address, with what they ask', () => {
  const expected = `${BASE}/status?number=HD1&channel=miniprogram`;
  for (const link of ['/status?number=HD1', `${BASE}/status?number=HD1`, 'HTTPS://SSP.haidian.test/status?number=HD1']) {
    assert.equal(opened(link).web, expected);
  }
  assert.equal(opened(BASE).web, `${BASE}/?channel=miniprogram`);
  const anchored = opened('/typical-cases?month=2026-05&elder=0#202605-03');
  assert.equal(anchored.web, `${BASE}/typical-cases?month=2026-05&channel=miniprogram#202605-03`);
});

test('a mini-program that nobody configured opens nothing and says so', () => {
  const wrong = [
    { baseUrl: 'https://suishoupai.example' }, { baseUrl: 'http://ssp.haidian.test' },
    { baseUrl: 'https://ssp.haidian.test/' }, { baseUrl: 'https://10.0.0.1' }, { baseUrl: '' },
    { baseUrl: 'https://localhost' }, { baseUrl: undefined }, { templateIds: ['a', 'b', 'c', 'd'] },
    { templateIds: 'a' },
  ];
  for (const config of wrong) {
    const client = home({}, config);
    assert.equal(client.errors.length, 1, JSON.stringify(config));
    client.tap('查进度').settle();
    assert.equal(client.route, 'pages/trouble/trouble');
    assert.match(client.text(), /没有配置好[\s\S]*12345/);
    assert.match(client.open('/pages/typical/typical').text(), /没有读到/);
    assert.equal(client.called('request').length, 0);
  }
  assert.deepEqual(home().errors, []);
});

// codes -------------------------------------------------------------------------------------

test('a scanned place code of ours opens its link', () => {
  const client = home({ scanned: { result: `${BASE}/q/${CODE}` } }).tap('扫码上报').settle();
  assert.equal(client.web, `${BASE}/q/${CODE}?channel=miniprogram`);
});

test('a foreign code is refused in plain words and nothing of it is opened', () => {
  const foreign = [`https://evil.example/q/${CODE}`, `${BASE}/q/123`, `${BASE}/q/${CODE}/../../x`, '一段文字', '', undefined];
  for (const result of foreign) {
    const client = home({ scanned: { result } }).tap('扫码上报').settle();
    assert.equal(client.route, 'pages/scan/scan', result);
    assert.match(client.text(), /不是海淀随手拍的位置二维码，没有打开/);
    assert.doesNotMatch(client.text(), /evil/);
    client.tap('扫一扫').settle();
    assert.match(client.text(), /不是海淀随手拍的位置二维码/);
    assert.ok(client.called('navigateTo').every(({ given }) => !given.url.startsWith('/pages/web/')));
  }
});

test('a scan that was cancelled says nothing; one that failed says what to do', () => {
  const cancelled = home().tap('扫码上报').settle();
  assert.equal(cancelled.route, 'pages/report/report');
  const scanned = refusal({ errMsg: 'scanCode:fail auth deny' });
  const failed = home({ scanned }).tap('扫码上报').settle();
  assert.match(failed.text(), /允许微信使用摄像头/);
  assert.match(failed.open('/pages/scan/scan').tap('扫一扫').settle().text(), /允许微信使用摄像头/);
});

test('a code scanned by WeChat itself leads on without a way back to the scanner', () => {
  const link = encodeURIComponent(`${BASE}/q/${CODE}`);
  const client = new Client().open(`/pages/scan/scan?q=${link}&scancode_time=1780000000`);
  assert.equal(client.web, `${BASE}/q/${CODE}?channel=miniprogram`);
  assert.equal(client.stack.length, 1);
  const foreign = new Client().open(`/pages/scan/scan?q=${encodeURIComponent('https://evil.example/')}`);
  assert.match(foreign.text(), /没有打开/);
});

test('the number beside a worn code may be typed', () => {
  const client = new Client().open('/pages/scan/scan').type('o123-4567 89ab-cdef gh').tap('用编号上报').settle();
  assert.equal(client.web, `${BASE}/q/${CODE}?channel=miniprogram`);
  const wrong = new Client().open('/pages/scan/scan').type('0123').tap('用编号上报').settle();
  assert.match(wrong.text(), /编号是 18 个字符/);
  assert.equal(wrong.type(CODE).tap('用编号上报').settle().web, `${BASE}/q/${CODE}?channel=miniprogram`);
});

// notices -----------------------------------------------------------------------------------

const TWO = { templateIds: ['first', 'second'] };
const asking = (consents, host) =>
  new Client(Object.assign({ consents }, host), TWO).open('/pages/notify/notify');

test('consent to notices is asked for in a tap, and only there', () => {
  const client = asking({ first: 'accept', second: 'accept' });
  assert.equal(client.called('requestSubscribeMessage').length, 0);
  client.tap('接收通知');
  const [asked, ...more] = client.called('requestSubscribeMessage');
  assert.ok(asked.tapping && more.length === 0);
  assert.deepEqual([...asked.given.tmplIds], ['first', 'second']);
  client.settle();
  assert.match(client.text(), /已记下您的同意/);
  assert.deepEqual({ ...client.storage.get('notify').answers }, { first: 'accept', second: 'accept' });
  assert.ok(client.storage.get('notify').at > 0);
  assert.doesNotMatch(client.text(), /接收通知/);
});

test('every answer to the question is explained, and kept', () => {
  const answers = [
    [{ first: 'accept', second: 'reject' }, /同意了其中一部分/],
    [{ first: 'reject', second: 'ban' }, /没有同意，上报和办理都不受影响/],
    [{ first: 'ban', second: 'filter' }, /发不出去/],
    [{ first: 'ban' }, /发不出去/],
  ];
  for (const [consents, words] of answers) {
    const client = asking(consents).tap('接收通知').settle();
    assert.match(client.text(), words);
    assert.equal(client.storage.get('notify').answers.first, consents.first);
  }
  const off = asking(refusal({ errCode: 20004 })).tap('接收通知').settle();
  assert.match(off.text(), /关闭了本小程序的通知/);
  const failed = asking(refusal({ errCode: 10002 })).tap('接收通知').settle();
  assert.match(failed.text(), /没有问成/);
  assert.equal(failed.storage.size, 0);
  assert.match(asking({}, { missing: ['requestSubscribeMessage'] }).tap('接收通知').text(), /版本较低/);
});

test('without templates the page says so and asks nothing', () => {
  const client = home().tap('办理进度通知').settle();
  assert.match(client.text(), /尚未开通/);
  assert.doesNotMatch(client.text(), /接收通知/);
});

test('the way back from the question is where one came from, or the first page', () => {
  const client = home({}, TWO).tap('办理进度通知').settle().tap('返回').settle();
  assert.equal(client.route, 'pages/report/report');
  assert.equal(client.called('navigateBack').length, 1);
  const alone = asking({}).tap('返回').settle();
  assert.equal(alone.route, 'pages/report/report');
});

// trouble -----------------------------------------------------------------------------------

test('without a network the page says what to do, and opens again', () => {
  const client = opened('/my', { network: 'none' });
  assert.equal(client.route, 'pages/trouble/trouble');
  assert.match(client.text(), /没有连上网络[\s\S]*重新打开/);
  assert.doesNotMatch(client.text(), /网络已经恢复/);
  for (const heard of client.listeners) heard({ isConnected: true });
  assert.match(client.text(), /网络已经恢复/);
  client.host.network = '4g';
  client.tap('重新打开').settle();
  assert.equal(client.web, `${BASE}/my?channel=miniprogram`);
  assert.equal(client.listeners.size, 0, 'who has left listens no more');
});

test('a web page that fails is replaced by words, not left blank', () => {
  const client = home().tap('查进度').settle().fails();
  assert.equal(client.route, 'pages/trouble/trouble');
  assert.match(client.text(), /页面没有打开[\s\S]*12345[\s\S]*119/);
  client.tap('重新打开').settle();
  assert.equal(client.web, `${BASE}/status?channel=miniprogram`);
  client.fails().tap('拨打').tap('回首页').settle();
  assert.equal(client.called('makePhoneCall')[0].given.phoneNumber, '12345');
  assert.equal(client.route, 'pages/report/report');
});

test('a crafted reason or path of the trouble page does no harm', () => {
  const client = new Client().open('/pages/trouble/trouble?why=constructor&path=https%3A%2F%2Fevil.example%2F');
  assert.match(client.text(), /页面没有打开/);
  assert.doesNotMatch(client.text(), /重新打开/);
});

test('a card of a page that is gone leads to the first page', () => {
  const client = opened('/my');
  client.app.onPageNotFound({ path: 'pages/old/old' });
  assert.equal(client.settle().route, 'pages/report/report');
});

// sharing -----------------------------------------------------------------------------------

const shared = (client, webViewUrl) => client.page.onShareAppMessage({ from: 'menu', webViewUrl });

test('typical cases are shared as they are seen; no other web page is', () => {
  const client = opened('/typical-cases');
  const card = (address) => decodeURIComponent(shared(client, address).path);
  assert.equal(card(`${BASE}/typical-cases?month=2026-05&elder=1&scale=1.4`), '/pages/web/web?path=/typical-cases?month=2026-05');
  assert.equal(card(`${BASE}/typical-cases/2026-05?elder=1#x`), '/pages/web/web?path=/typical-cases/2026-05');
  assert.equal(card(`${BASE}/typical-cases?month=x`), '/pages/web/web?path=/typical-cases');
  const kept = [
    `${BASE}/report?lon=116.3&lat=39.9`, `${BASE}/status?number=HD1`, `${BASE}/my`, undefined,
    `${BASE}/typical-casesx`, 'https://evil.example/typical-cases', `${BASE}/q/${CODE}`,
  ];
  for (const address of kept) assert.equal(card(address), '/pages/report/report', address);
  const opens = shared(client, `${BASE}/typical-cases/2026-05`).path;
  assert.equal(new Client().open(opens).web, `${BASE}/typical-cases/2026-05?channel=miniprogram`);
});

// typical cases -----------------------------------------------------------------------------

const ENTRY = {
  id: '202605-01', entry: 1, state: 'shown', title: '中关村街道·乱堆杂物', caption: '楼前杂物当天清走。',
  outcome_name: '已整改', taken: '3小时20分', raters: 2, satisfaction: 4.5, says: null,
  before: [{ url: '/api/v1/typical-cases/2026-05/photos/a', alt: '整改前照片1' }], after: [],
};
const GONE = { id: '202605-02', state: 'withdrawn', title: '【已撤回】', says: '已撤回。', before: [], after: [] };

function answers(url) {
  const asked = url.pathname.replace('/api/v1/typical-cases', '');
  const months = [{ month: '2026-05', shown: 1 }, { month: '2026-06', shown: 0 }, { month: '2026-04', shown: 2 }];
  if (asked === '') return { statusCode: 200, data: { months } };
  if (asked !== '/2026-05') return { statusCode: 404, data: {} };
  return { statusCode: 200, data: { month: '2026-05', title: '2026年5月典型案例', entries: [ENTRY, GONE] } };
}

test('the newest month with something to show is shown, with words for each picture', () => {
  const client = home({ answers }).tap('典型案例').step();
  assert.match(client.text(), /正在读取/);
  client.settle();
  assert.match(client.text(), /2026年5月典型案例[\s\S]*楼前杂物当天清走[\s\S]*用时3小时20分，2人评价，满意度4.5分/);
  assert.doesNotMatch(client.text(), /已撤回|null|undefined/);
  const [picture] = [...wxml.every(client.drawn())].filter((node) => node.tag === 'image');
  assert.equal(picture.attributes.src, `${BASE}${ENTRY.before[0].url}`);
  assert.equal(picture.attributes['aria-label'], '整改前照片1');
  client.tap('按月查看').settle();
  assert.equal(client.web, `${BASE}/typical-cases?month=2026-05&channel=miniprogram`);
});

test('typical cases are shared to a friend and to Moments by their month', () => {
  const client = new Client({ answers }).open('/pages/typical/typical');
  assert.deepEqual({ ...client.page.onShareAppMessage() }, {
    title: '海淀随手拍：2026年5月典型案例', path: '/pages/typical/typical?month=2026-05',
  });
  const moment = client.page.onShareTimeline();
  assert.equal(moment.query, 'month=2026-05');
  const single = new Client({ answers, scene: 1154 }).open(`/pages/typical/typical?${moment.query}`);
  assert.match(single.text(), /楼前杂物当天清走[\s\S]*前往小程序/);
  assert.doesNotMatch(single.text(), /按月查看|分享给朋友/, 'nothing that the single page mode forbids');
  assert.equal(single.called('request').length, 1);
});

test('nothing, nothing to read and no answer are told apart, and can be asked again', () => {
  const with_ = (given) => new Client({ answers: given }).open('/pages/typical/typical');
  assert.match(with_(() => ({ statusCode: 200, data: { months: [] } })).text(), /还没有公开/);
  assert.match(new Client({ answers }).open('/pages/typical/typical?month=2025-01').text(), /还没有公开/);
  for (const bad of [undefined, { statusCode: 503, data: '' }, { statusCode: 200, data: '<html>' }]) {
    const client = with_(() => bad);
    assert.match(client.text(), /没有读到/);
    client.host.answers = answers;
    client.tap('重新读取').settle();
    assert.match(client.text(), /楼前杂物/);
  }
  const odd = new Client({ answers }).open('/pages/typical/typical?month=..%2F..');
  assert.match(odd.text(), /楼前杂物/, 'what is no month is not asked for');
});

// all pages ---------------------------------------------------------------------------------

test('every handler that a page names is there, and every thing to tap has a role and a name', () => {
  const client = new Client();
  let targets = 0;
  for (const name of client.json.pages) {
    const { definition, tree } = client.registered(name);
    for (const node of all(tree)) {
      for (const [attribute, handler] of Object.entries(node.attributes)) {
        if (!/^(bind|catch)/.test(attribute)) continue;
        assert.equal(typeof definition[handler], 'function', `${name}: ${handler}`);
      }
      if (node.tag !== 'button' && node.attributes.bindtap === undefined) continue;
      targets += 1;
      assert.match(node.attributes.class, /\btarget\b/, name);
      assert.equal(node.attributes['aria-role'], 'button', name);
      assert.ok(node.attributes['aria-label'], name);
    }
    for (const node of all(tree)) {
      if (['image', 'input'].includes(node.tag)) assert.ok(node.attributes['aria-label'], name);
    }
    if (name === 'pages/web/web') continue;
    assert.equal(tree.children[0].tag, 'page-meta', `${name} follows the type size`);
    assert.match(tree.children[1].attributes.class, /\{\{elder \? 'elder' : ''\}\}/, name);
  }
  assert.ok(targets > 15);
});

function* all(node) {
  for (const child of node.children || []) {
    if (child.text !== undefined) continue;
    yield child;
    yield* all(child);
  }
}
