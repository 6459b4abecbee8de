// Parts that only show come as one component whose HTML the server has written and escaped: see components/static.py.
(function () {
  'use strict';
  const shown = new WeakMap();

  function fill(element) {
    const text = element.getAttribute('data-static');
    if (text === null || shown.get(element) === text) return;
    shown.set(element, text);
    element.innerHTML = text;
  }

  function within(node) {
    if (node.nodeType !== 1) return;
    if (node.hasAttribute('data-static')) fill(node);
    node.querySelectorAll('[data-static]').forEach(fill);
  }

  new MutationObserver(function (records) {
    records.forEach(function (record) {
      if (record.type === 'attributes') fill(record.target);
      else record.addedNodes.forEach(within);
    });
  }).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-static'] });
})();
