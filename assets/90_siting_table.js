// Long tables of the Siting page: their rows come as JSON in an attribute and are drawn here, as text and marks only.
(function () {
  'use strict';
  const TAGS = ['th', 'td', 'span', 'div', 'strong', 'small', 'em', 'code'];

  // A text, or [tag, class, style, scope, raw, parts]: what components/siting_site.py packs.
  function made(part) {
    if (typeof part === 'string') return document.createTextNode(part);
    const node = document.createElement(TAGS.indexOf(part[0]) >= 0 ? part[0] : 'span');
    if (part[1]) node.className = part[1];
    if (part[2]) Object.keys(part[2]).forEach(function (name) { node.style[name] = part[2][name]; });
    if (part[3]) node.setAttribute('scope', part[3]);
    if (part[4] !== null && part[4] !== undefined) node.setAttribute('data-raw', part[4]);
    part[5].forEach(function (inner) { node.append(made(inner)); });
    return node;
  }
  function row(cells) {
    const line = document.createElement('tr');
    cells.forEach(function (cell) { line.append(made(cell)); });
    return line;
  }
  function draw(holder) {
    const text = holder.getAttribute('data-siting-table');
    if (holder.sitingDrawn === text) return;
    holder.sitingDrawn = text;
    const content = JSON.parse(text);
    const table = document.createElement('table'), head = document.createElement('thead'), body = document.createElement('tbody');
    table.className = 'hr-siting-table';
    table.id = content.key;
    head.append(row(content.heads));
    content.rows.forEach(function (cells) { body.append(row(cells)); });
    table.append(head, body);
    holder.replaceChildren(table);
  }
  function within(node) {
    if (node.nodeType !== 1) return;
    if (node.hasAttribute('data-siting-table')) draw(node);
    node.querySelectorAll('[data-siting-table]').forEach(draw);
  }
  new MutationObserver(function (changes) {
    changes.forEach(function (change) {
      if (change.type === 'attributes') draw(change.target);
      else change.addedNodes.forEach(within);
    });
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-siting-table'] });
  within(document.body);
})();
