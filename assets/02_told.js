// Dash tells each component of a page of every change of its store: three questions a component, of 400 to 2,000 changes
// while a page opens. Most of these are Dash's own books (which callback waits, where a component is), and one for each
// component that is drawn, which changes nothing. Here React's side of the store is told only when a part that some
// component reads holds something else than when it was last told, and of the marks of what is loading once for all
// callbacks that begin and end together. Dash's own observers are told of everything, at once, as before.
(function () {
  'use strict';
  // The parts of Dash 4.4's store that no component reads. A part that is not named here is one that is read.
  const UNREAD = ['callbacks', 'callbackJobs', 'changed', 'paths', 'profile'];

  // A drawn component takes back the count of its changes, and leaves a new object of the same counts where it had none.
  function same(these, those) {
    const names = Object.keys(these);
    return names.length === Object.keys(those).length && names.every(function (name) { return these[name] === those[name]; });
  }
  function differs(name, now, told) {
    if (now[name] === told[name] || UNREAD.indexOf(name) >= 0) return false;
    return !(name === 'layoutHashes' && told[name] && same(now[name], told[name]));
  }
  function quiet(store) {
    const subscribe = store.subscribe;
    store.subscribe = function (listener) {
      let told = store.getState(), soon = null;
      function tell() {
        window.clearTimeout(soon);
        soon = null;
        told = store.getState();
        listener();
      }
      const end = subscribe(function () {
        const now = store.getState();
        const changed = Object.keys(now).filter(function (name) { return differs(name, now, told); });
        if (changed.some(function (name) { return name !== 'loading'; })) tell();
        else if (changed.length && soon === null) soon = window.setTimeout(tell, 0);
      });
      return function () { window.clearTimeout(soon); end(); };
    };
  }

  // Dash lists its store here when its own observers listen to it already, and before React does.
  const stores = window.dash_stores = window.dash_stores || [];
  stores.push = function (store) { quiet(store); return Array.prototype.push.call(stores, store); };
})();
