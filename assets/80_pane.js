// A small drawing helper for panes that scripts fill: what is wanted is told as a tree, and only what differs is
// changed in the document, so the focus, what is being typed and how far a list is scrolled stay as they are.
(function () {
  'use strict';
  const headroom = window.headroom;
  const SVG = 'http://www.w3.org/2000/svg';
  const THIN = '\u2009', MINUS = '\u2212', DASH = '\u2013';

  // h('button', {key, class, on: {click}, 'aria-label': ..., value, style: {'--share': '40%'}}, children ...)
  // Children are trees, texts, or lists of them; null and false are left out.
  function h(tag, props) {
    return { tag: tag, props: props || {}, children: flat(Array.prototype.slice.call(arguments, 2)) };
  }
  function flat(given) {
    const found = [];
    (function add(one) {
      if (Array.isArray(one)) one.forEach(add);
      else if (one !== null && one !== undefined && one !== false && one !== '') found.push(typeof one === 'object' ? one : String(one));
    })(given);
    return found;
  }

  const PROPERTIES = ['value', 'checked', 'disabled', 'hidden', 'indeterminate', 'selected'];
  function set(node, name, value, before) {
    if (name === 'key') return;
    if (name === 'on') {
      Object.keys(Object.assign({}, before, value)).forEach(function (kind) { node['on' + kind] = (value && value[kind]) || null; });
    } else if (name === 'style') {
      Object.keys(Object.assign({}, before, value)).forEach(function (key) {
        const now = value ? value[key] : undefined;
        if (now === undefined) node.style.removeProperty(key); else node.style.setProperty(key, now);
      });
    } else if (PROPERTIES.indexOf(name) >= 0) {
      const now = value === undefined ? (name === 'value' ? '' : false) : value;
      if (node[name] !== now) node[name] = now; // compared with what is there: it may have been typed
    } else if (value === undefined || value === null || value === false) node.removeAttribute(name === 'class' ? 'class' : name);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  function dress(node, props) {
    const before = node._drawn || {};
    Object.keys(before).forEach(function (name) { if (!(name in props)) set(node, name, undefined, before[name]); });
    Object.keys(props).forEach(function (name) {
      if (name === 'value') return; // after the children: a select takes one of its options
      if (before[name] !== props[name] || PROPERTIES.indexOf(name) >= 0) set(node, name, props[name], before[name]);
    });
    node._drawn = props;
  }
  function make(tag, parent) {
    const drawing = tag === 'svg' || (parent.namespaceURI === SVG && parent.localName !== 'foreignObject');
    return drawing ? document.createElementNS(SVG, tag) : document.createElement(tag);
  }
  function fits(node, want) {
    if (typeof want === 'string') return node.nodeType === Node.TEXT_NODE;
    return node.nodeType === Node.ELEMENT_NODE && node.localName === want.tag && (node._drawn || {}).key === want.props.key;
  }
  function fill(parent, children) {
    const keyed = new Map();
    parent.childNodes.forEach(function (node) { if (node._drawn && node._drawn.key !== undefined) keyed.set(node._drawn.key, node); });
    let at = parent.firstChild;
    children.forEach(function (want) {
      const key = typeof want === 'string' ? undefined : want.props.key;
      let node = key !== undefined && keyed.has(key) && fits(keyed.get(key), want) ? keyed.get(key) : null;
      if (!node && key === undefined && at && fits(at, want)) node = at;
      if (!node) node = typeof want === 'string' ? document.createTextNode(want) : make(want.tag, parent);
      if (node === at) at = at.nextSibling; else parent.insertBefore(node, at);
      if (typeof want === 'string') { if (node.data !== want) node.data = want; return; }
      dress(node, want.props);
      fill(node, want.children);
      if ('value' in want.props) set(node, 'value', want.props.value);
    });
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  }
  // Make the content of `parent` what `wanted` says. A row that changes its place keeps the focus that is in it.
  function draw(parent, wanted) {
    const active = document.activeElement;
    const inside = active && active !== document.body && parent.contains(active);
    const span = inside && typeof active.selectionStart === 'number' ? [active.selectionStart, active.selectionEnd] : null;
    fill(parent, flat([wanted]));
    if (inside && active.isConnected && document.activeElement !== active) {
      active.focus({ preventScroll: true });
      if (span) active.setSelectionRange(span[0], span[1]);
    }
  }

  // Numbers as in components/format.py ------------------------------------------------------------------------
  function number(value, digits) {
    if (value === null || value === undefined || isNaN(value)) return DASH;
    const text = Math.abs(value).toFixed(digits || 0);
    const parts = text.split('.');
    const whole = parts[0].replace(/\B(?=(\d{3})+$)/g, THIN) + (parts[1] ? '.' + parts[1] : '');
    return value < 0 && /[1-9]/.test(text) ? MINUS + whole : whole;
  }
  function megawatts(value) { return number(value, Math.abs(value) < 99.95 && value % 1 ? 1 : 0) + ' MW'; }
  function percent(share, digits) {
    const value = 100 * share;
    return number(value, digits !== undefined ? digits : Math.abs(value - Math.round(value)) < 1e-9 ? 0 : 1) + ' %';
  }
  function count(amount, one, many) { return number(amount) + ' ' + (amount === 1 ? one : many || one + 's'); }
  function span(seconds) { // a time that runs down: 0:42, 12:05, 1:02:05
    const all = Math.max(0, Math.ceil(seconds - 1e-6)), s = all % 60, m = Math.floor(all / 60) % 60, hours = Math.floor(all / 3600);
    const two = function (n) { return (n < 10 ? '0' : '') + n; };
    return hours ? hours + ':' + two(m) + ':' + two(s) : m + ':' + two(s);
  }
  function clockTime(at) { // of the reader's own place: 14:05:09
    return new Date(at * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
  }

  // A number that opens its why: the same parts as components/why_card.py, so the shell's keys and presses work.
  // card: {formula, values: [[name, value], ...], note, source}
  function why(id, text, label, card, more) {
    return h('span', Object.assign({ class: 'hr-popover-anchor', key: 'why-' + id }, more),
      h('button', { type: 'button', class: 'hr-why-number', id: id, 'data-popover': id + '-panel', 'aria-expanded': 'false', 'aria-haspopup': 'dialog' }, text),
      h('span', { class: 'hr-popover', role: 'dialog', 'aria-label': 'Why: ' + label, 'data-popover-panel': id + '-panel', style: { width: '340px' } },
        h('div', { class: 'hr-why-card', id: id + '-panel' },
          h('h3', { class: 'hr-why-title' }, label),
          card.formula && h('p', { class: 'hr-formula' }, card.formula),
          card.values && card.values.length > 0 && h('dl', { class: 'hr-facts' }, card.values.map(function (row) {
            return h('div', { class: 'hr-fact' }, h('dt', null, row[0]), h('dd', null, row[1]));
          })),
          card.note && h('p', { class: 'hr-why-note' }, card.note),
          card.source && h('p', { class: 'hr-why-source' }, 'Rule: ' + card.source))));
  }

  headroom.pane = {
    h: h, draw: draw, why: why, number: number, megawatts: megawatts, percent: percent, count: count, span: span, clockTime: clockTime,
    THIN: THIN, MINUS: MINUS, DASH: DASH,
  };
})();
