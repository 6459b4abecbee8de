// Sets light or dark on <html> before the first paint. Remembered; the system's own setting by default.
(function () {
  'use strict';
  if (window.headroom && window.headroom.theme) return; // it stands in the head and among the assets
  const root = document.documentElement;
  const key = 'headroom-theme';
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  function remembered() {
    try { return window.localStorage.getItem(key); } catch (error) { return null; }
  }
  function apply(theme) {
    if (root.getAttribute('data-bs-theme') === theme) return;
    root.setAttribute('data-bs-theme', theme);
    root.setAttribute('data-ag-theme-mode', theme);
    document.dispatchEvent(new CustomEvent('headroom:theme', { detail: theme }));
  }
  function now() {
    const kept = remembered();
    return kept === 'light' || kept === 'dark' ? kept : (system.matches ? 'dark' : 'light');
  }
  window.headroom = window.headroom || {};
  window.headroom.theme = {
    now: function () { return root.getAttribute('data-bs-theme') || now(); },
    set: function (theme) {
      try { window.localStorage.setItem(key, theme); } catch (error) { /* private window: this page only */ }
      apply(theme);
    },
  };
  try {
    if (window.localStorage.getItem('headroom-rail') === 'folded') root.classList.add('hr-rail-folded');
  } catch (error) { /* private window: the rail is open */ }
  apply(now());
  system.addEventListener('change', function () { apply(now()); });
})();
