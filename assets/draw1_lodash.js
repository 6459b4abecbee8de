// The two functions of lodash that cytoscape-edgehandles asks for, and no more.
(function () {
  'use strict';
  if (window._) return;
  window._ = {
    memoize: function (work) {
      const kept = new Map();
      return function (key) {
        if (!kept.has(key)) kept.set(key, work.apply(this, arguments));
        return kept.get(key);
      };
    },
    throttle: function (work, wait) {
      let last = 0, timer = null;
      return function () {
        const self = this, given = arguments, left = wait - (Date.now() - last);
        window.clearTimeout(timer);
        const run = function () { last = Date.now(); work.apply(self, given); };
        if (left <= 0) run(); else timer = window.setTimeout(run, left);
      };
    },
  };
})();
