// The Network page, what its parts share: edits on their way to Python, which holds the one truth, and what stands
// on the page. Every gesture, key, form and cell becomes one edit; they go one at a time, in order.
(function () {
  'use strict';
  const headroom = window.headroom;
  const PAGE = 'network';
  const WAIT_MS = 10000; // an answer that never comes must not stop the drawing for good
  const queue = [];
  let seq = 0, under_way = null, timer = null;

  function strip() { return document.querySelector('[data-draw-strip]'); }
  function readOnly() {
    const tools = strip();
    return !tools || tools.dataset.drawStrip === 'read-only';
  }
  function onCanvas() {
    const frame = document.querySelector('[data-draw-canvas]');
    return Boolean(frame && !frame.hidden);
  }
  function mapState() { return headroom.maps ? headroom.maps[PAGE] : null; }
  function cyOf() {
    const holder = document.getElementById('network-canvas');
    const cy = holder && holder._cyreg ? holder._cyreg.cy : null;
    return cy && !cy.destroyed() ? cy : null;
  }
  function kindOf(element) { return String(element || '').split(':', 1)[0]; }
  function idOf(element) { const text = String(element || ''); return text.slice(text.indexOf(':') + 1); }

  function send(request) {
    if (readOnly()) return;
    queue.push(request);
    pump();
  }
  function edit(event, from) { send({ event: event, from: from || 'drawing' }); }
  function pump() {
    if (under_way !== null || !queue.length) return;
    const request = queue.shift();
    request.seq = String(Date.now()) + '-' + (seq += 1);
    under_way = request.seq;
    timer = window.setTimeout(function () { under_way = null; pump(); }, WAIT_MS);
    const tools = strip();
    if (tools) tools.setAttribute('aria-busy', 'true');
    headroom.setProps('network-event', { data: request });
  }
  function answered(ack) {
    if (!ack || ack.seq !== under_way) return;
    window.clearTimeout(timer);
    under_way = null;
    if (!queue.length) {
      const tools = strip();
      if (tools) tools.removeAttribute('aria-busy');
    }
    if (ack.ok && ['paste', 'add-row', 'import'].includes(ack.from)) {
      const open = document.querySelector('.hr-popover[data-open]');
      if (open) document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
      if (ack.from === 'paste') headroom.setProps('network-paste-text', { value: '' });
    }
    pump();
  }

  headroom.draw = {
    PAGE: PAGE,
    selection: null, // "bus:5120", as the page's Store holds it
    painted: null, // {data, layer, elements}: what Python last drew
    send: send,
    edit: edit,
    answered: answered,
    busy: function () { return under_way !== null || queue.length > 0; },
    readOnly: readOnly,
    onCanvas: onCanvas,
    mapState: mapState,
    cyOf: cyOf,
    kindOf: kindOf,
    idOf: idOf,
    round: function (number) { return Math.round(number * 10) / 10; },
    css: function (name) { return window.getComputedStyle(document.documentElement).getPropertyValue('--hr-' + name).trim(); },
  };
})();
