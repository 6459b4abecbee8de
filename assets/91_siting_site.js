// The sheet of a site and the tabs that follow a study: presses on parts that come and go with the answer.
(function () {
  'use strict';

  // Each press writes to a Store that stays on the page; `at` makes a second press of the same thing count.
  const stores = {
    'data-siting-outage': 'siting-outage',
    'data-siting-keep': 'siting-keep',
    'data-siting-study': 'siting-study-asked',
  };

  function press(name, value) { window.headroom.setProps(stores[name], { data: { value: value, at: Date.now() } }); }
  function boxOf(tab) { return document.querySelector('#siting-tab input[value="' + tab.getAttribute('data-siting-tab') + '"]'); }

  // On a phone the tabs are wider than the screen: that which is open comes into view with its pane.
  function showOpenTab() {
    const box = document.querySelector('#siting-tab input:checked');
    if (box) box.parentElement.scrollIntoView({ block: 'nearest', inline: 'center' });
  }

  // A press that leads to another tab counts once that tab has been told what is drawn.
  let waits = null;
  document.addEventListener('siting-told', function (event) {
    if (!waits || waits.tab !== event.detail) return;
    press(waits.name, waits.value);
    waits = null;
    window.requestAnimationFrame(function () { document.getElementById('siting-study-panel').scrollIntoView({ block: 'start' }); });
  });

  document.addEventListener('click', function (event) {
    const near = function (name) { return event.target.closest && event.target.closest('[' + name + ']'); };
    Object.keys(stores).forEach(function (name) {
      const button = near(name);
      if (!button) return;
      const value = button.getAttribute(name), box = button.hasAttribute('data-siting-tab') ? boxOf(button) : null;
      if (box && !box.checked) waits = { tab: box.value, name: name, value: value };
      else press(name, value);
    });
    const study = near('data-siting-study');
    if (study) {
      document.querySelectorAll('[data-siting-study]').forEach(function (one) {
        if (!one.hasAttribute('aria-pressed')) return;  // a press inside a study's own panel
        const key = study.getAttribute('data-siting-study').split(' ')[0];
        one.setAttribute('aria-pressed', one.getAttribute('data-siting-study') === key ? 'true' : 'false');
      });
    }
    const layer = near('data-siting-layer');
    if (layer) {
      const choice = document.querySelector('#siting-map-layer input[value="' + layer.getAttribute('data-siting-layer') + '"]');
      if (choice) choice.click();
      window.headroom.showPane('siting', 'map');
    }
    if (near('data-pane-tab')) window.requestAnimationFrame(showOpenTab);
    const tab = near('data-siting-tab');
    if (tab) {
      const box = boxOf(tab);
      if (box) box.click();
      window.headroom.showPane('siting', 'table');
    }
  });

  // A file is chosen with the button; the browser's own field behind it is not reached by the keyboard.
  function nameFields() {
    document.querySelectorAll('[data-siting-upload] input[type="file"]:not([aria-label])').forEach(function (file) {
      file.setAttribute('aria-label', file.closest('[data-siting-upload]').getAttribute('data-siting-upload'));
      file.tabIndex = -1;
    });
  }
  new MutationObserver(function (changes) {
    if (changes.some(function (change) { return change.addedNodes.length; })) nameFields();
  }).observe(document.body, { subtree: true, childList: true });
  nameFields();
})();
