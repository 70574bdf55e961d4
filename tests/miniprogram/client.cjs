// A stand-in for the WeChat client: loads the mini-program's own files, keeps its pages on a stack,
// draws them, and answers `wx` as the documentation says it does. It is no WeChat: what the real
// client does beyond that, nobody has tried here.
//
// The files see what a mini-program has and nothing more: no URL, no fetch, no process, no timers.
// Answers of wx come after the call has returned, never within it, as in the client.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const wxml = require('./wxml.cjs');

const ROOT = path.resolve(__dirname, '../../miniprogram');
const DEEPEST = 10; // pages on the stack, in the client
const BASE = 'https://ssp.haidian.test';

class Client {
  /** `host`: what the phone and the outside world answer; see the methods of `wx` below. */
  constructor(host = {}, config = {}) {
    this.host = Object.assign(
      { scene: 1001, network: 'wifi', info: { fontSizeSetting: 16 }, platform: 'android' },
      host,
    );
    this.config = Object.assign(
      { baseUrl: BASE, templateIds: [], followHostType: true },
      config,
    );
    this.calls = [];
    this.errors = [];
    this.stack = [];
    this.storage = new Map();
    this.waiting = [];
    this.listeners = new Set();
    this.tapping = false;
    this.modules = new Map();
    this.pages = new Map();
    this.app = null;
    this.json = JSON.parse(read('app.json'));
    const console = { error: (text) => this.errors.push(text) };
    const globals = {
      wx: this.wx(),
      console,
      App: (app) => (this.app = app),
      Page: (page) => (this.registering = page),
      getApp: () => this.app,
      getCurrentPages: () => this.stack.map(({ page }) => page),
    };
    this.context = vm.createContext(globals);
    this.require('app.js');
    if (this.app.onLaunch) this.app.onLaunch({ scene: this.host.scene });
  }

  // loading ---------------------------------------------------------------------------------

  require(file) {
    if (file === 'config.js') return this.config;
    if (this.modules.has(file)) return this.modules.get(file).exports;
    const module = { exports: {} };
    this.modules.set(file, module);
    const run = vm.compileFunction(read(file), ['require', 'module', 'exports'], {
      filename: path.join(ROOT, file),
      parsingContext: this.context,
    });
    const from = path.dirname(file);
    run((wanted) => this.require(path.normalize(path.join(from, wanted))), module, module.exports);
    return module.exports;
  }

  registered(name) {
    assert.ok(this.json.pages.includes(name), `${name} is no page of app.json`);
    if (!this.pages.has(name)) {
      this.registering = null;
      this.require(`${name}.js`);
      assert.ok(this.registering, `${name}.js registers no page`);
      this.pages.set(name, { definition: this.registering, tree: wxml.parse(read(`${name}.wxml`)) });
    }
    return this.pages.get(name);
  }

  // pages -----------------------------------------------------------------------------------

  /** Opens a page as a card, a code or a link does: alone on the stack. */
  open(url = `/${this.json.pages[0]}`) {
    while (this.stack.length) this.leave();
    this.enter(url);
    return this.settle();
  }

  enter(url) {
    assert.equal(url[0], '/', `not from the root: ${url}`);
    const [name, query = ''] = url.slice(1).split('?');
    const { definition, tree } = this.registered(name);
    const page = Object.assign({ route: name }, definition);
    page.data = JSON.parse(JSON.stringify(definition.data));
    page.setData = (changes) => {
      for (const key of Object.keys(changes)) {
        assert.ok(key in definition.data, `${name} sets ${key}, which its data does not have`);
      }
      Object.assign(page.data, JSON.parse(JSON.stringify(changes)));
    };
    this.stack.push({ page, tree });
    assert.ok(this.stack.length <= DEEPEST, 'more pages than the client keeps');
    // As in the client: the values are not decoded.
    const options = Object.fromEntries(
      query.split('&').filter(Boolean).map((pair) => pair.split(/=(.*)/s).slice(0, 2)),
    );
    if (page.onLoad) page.onLoad(options);
    if (page.onShow) page.onShow();
  }

  leave() {
    const { page } = this.stack.pop();
    if (page.onUnload) page.onUnload();
  }

  get page() {
    return this.stack[this.stack.length - 1].page;
  }

  get route() {
    return this.page.route;
  }

  drawn() {
    const { page, tree } = this.stack[this.stack.length - 1];
    return wxml.draw(tree, page.data);
  }

  text() {
    return wxml.textOf(this.drawn());
  }

  /** Lets everything answer that was asked. */
  settle() {
    while (this.waiting.length) this.step();
    return this;
  }

  /** Lets the first of it answer. */
  step() {
    this.waiting.shift()();
    return this;
  }

  /** A finger on what reads so. */
  tap(words) {
    const found = [...wxml.every(this.drawn())].filter(
      (node) => node.attributes.bindtap && wxml.textOf(node.children).includes(words),
    );
    assert.equal(found.length, 1, `${found.length} things to tap read ${words}:\n${this.text()}`);
    this.tapping = true;
    this.page[found[0].attributes.bindtap]({ currentTarget: { dataset: {} } });
    this.tapping = false;
    return this;
  }

  type(text) {
    const field = [...wxml.every(this.drawn())].find((node) => node.tag === 'input');
    this.page[field.attributes.bindinput]({ detail: { value: text } });
    return this;
  }

  /** The address in the web-view, or null. The client opens a business domain over https alone. */
  get web() {
    const found = [...wxml.every(this.drawn())].find((node) => node.tag === 'web-view');
    if (!found) return null;
    const { src } = found.attributes;
    assert.equal(new URL(src).origin, this.config.baseUrl, `not a business domain: ${src}`);
    return src;
  }

  /** The web page could not be loaded. */
  fails() {
    const found = [...wxml.every(this.drawn())].find((node) => node.tag === 'web-view');
    this.page[found.attributes.binderror]({ detail: { src: found.attributes.src } });
    return this.settle();
  }

  called(name) {
    return this.calls.filter((call) => call.name === name);
  }

  // wx --------------------------------------------------------------------------------------

  wx() {
    const host = this.host;
    const later = (asked, how, value) =>
      this.waiting.push(() => {
        if (asked[how]) asked[how](value);
        if (asked.complete) asked.complete(value);
      });
    const answer = (asked, given, failed) =>
      given === undefined || given instanceof Error
        ? later(asked, 'fail', Object.assign({ errMsg: failed }, given && given.told))
        : later(asked, 'success', given);
    const go = (how) => (asked) =>
      this.waiting.push(() => {
        const may = host.scene !== 1154; // nowhere to go in the single page mode
        if (may) how(asked);
        const told = may ? asked.success : asked.fail;
        if (told) told({});
        if (asked.complete) asked.complete({});
      });
    const wx = {
      getAppBaseInfo: () => host.info,
      getSystemInfoSync: () => Object.assign({ platform: host.platform }, host.info),
      getDeviceInfo: () => ({ platform: host.platform }),
      getLaunchOptionsSync: () => ({ scene: host.scene }),
      getStorageSync: (key) => (this.storage.has(key) ? this.storage.get(key) : ''),
      setStorageSync: (key, value) => void this.storage.set(key, value),
      navigateTo: go(({ url }) => {
        const before = this.page;
        if (before.onHide) before.onHide();
        this.enter(url);
      }),
      redirectTo: go(({ url }) => {
        this.leave();
        this.enter(url);
      }),
      reLaunch: go(({ url }) => {
        while (this.stack.length) this.leave();
        this.enter(url);
      }),
      navigateBack: go(() => {
        this.leave();
        if (this.page.onShow) this.page.onShow();
      }),
      getNetworkType: (asked) => later(asked, 'success', { networkType: host.network }),
      onNetworkStatusChange: (heard) => void this.listeners.add(heard),
      offNetworkStatusChange: (heard) => void this.listeners.delete(heard),
      scanCode: (asked) => answer(asked, host.scanned, 'scanCode:fail cancel'),
      getLocation: (asked) => {
        const allowed = this.json.requiredPrivateInfos.includes('getLocation');
        const given = allowed && asked.type === 'gcj02' ? host.located : undefined;
        if (host.located === 'later') this.locating = asked;
        else answer(asked, given, 'getLocation:fail auth deny');
      },
      requestSubscribeMessage: (asked) => {
        const told = 'can only be invoked by user TAP gesture.';
        const given = this.tapping ? host.consents : Object.assign(new Error(), { told: { errCode: 20004 } });
        answer(asked, given, `requestSubscribeMessage:fail ${told}`);
      },
      request: (asked) => {
        assert.equal(new URL(asked.url).origin, this.config.baseUrl, `request to ${asked.url}`);
        answer(asked, host.answers && host.answers(new URL(asked.url)), 'request:fail');
      },
      makePhoneCall: () => {},
    };
    for (const missing of host.missing || []) delete wx[missing];
    for (const [name, does] of Object.entries(wx)) {
      wx[name] = (...given) => {
        this.calls.push({ name, given: given[0], tapping: this.tapping });
        return does(...given);
      };
    }
    return wx;
  }
}

function read(file) {
  return fs.readFileSync(path.join(ROOT, file), 'utf8');
}

/** What wx says when it does not do what was asked. */
function refusal(told) {
  return Object.assign(new Error(told.errMsg), { told });
}

module.exports = { Client, BASE, ROOT, refusal };
