// Two heavy component libraries are fetched when the first of their components is drawn, not with every page
// (components/late.py takes their scripts out of the page). Until then a component of ours stands for each.
(function () {
  'use strict';
  const React = window.React;

  // A map that is being drawn comes first: fetching and running these scripts would hold it up.
  const MAP_FIRST_MS = 1500;
  function mapFirst() {
    return new Promise(function (done) {
      if (!document.querySelector('[data-map]') || Object.keys(window.headroom.maps || {}).some(function (page) {
        return window.headroom.maps[page].branches.size && window.headroom.maps[page].buses.size;
      })) { done(); return; }
      const drawn = {};
      document.addEventListener('headroom:map', function shown(event) {
        drawn[event.detail.store] = true;
        if (!drawn.buses || !drawn.branches) return;
        document.removeEventListener('headroom:map', shown);
        window.requestAnimationFrame(function () { window.setTimeout(done, 30); });
      });
      window.setTimeout(done, MAP_FIRST_MS);
    });
  }

  // With whenSeen the script waits until a component is in view: a canvas may lie behind a map all the time.
  function late(library, name, statics, whenSeen) {
    if (window[library] || !React) return;
    let real = null, asked = null;
    function fetchScript() {
      if (asked) return asked;
      const address = '/_dash-component-suites/' + library + '/' + library + '.min.js';
      asked = mapFirst().then(function () {
        return new Promise(function (done, failed) {
          const script = document.createElement('script');
          script.src = address;
          script.onload = done;
          script.onerror = function () { asked = null; failed(new Error(library + ' did not load')); };
          document.head.append(script);
        });
      }).then(function () {
        real = window[library][name];
        // Ours stays the component, so that one which is drawn already is not taken down and drawn anew.
        const members = {};
        Object.getOwnPropertyNames(window[library]).forEach(function (key) { members[key] = window[library][key]; });
        window[library] = Object.assign(members, stand);
        return real;
      });
      return asked;
    }
    function Late(props) {
      const state = React.useState(function () { return real; }); // a function in a state is called, hence wrapped
      const box = React.useRef(null);
      React.useEffect(function () {
        let here = true, eye = null;
        function draw() {
          fetchScript().then(function (component) { if (here) state[1](function () { return component; }); });
        }
        if (!state[0] && whenSeen) {
          eye = new IntersectionObserver(function (seen) {
            if (seen.some(function (one) { return one.isIntersecting; })) { eye.disconnect(); draw(); }
          });
          eye.observe(box.current);
        } else if (!state[0]) draw();
        return function () { here = false; if (eye) eye.disconnect(); };
      }, []);
      return state[0] ? React.createElement(state[0], props)
        : React.createElement('div', { ref: box, className: props.className, style: props.style });
    }
    // Dash holds back the callbacks of a component until this says that it is there.
    if (!whenSeen) Object.defineProperty(Late, '_dashprivate_isLazyComponentReady', {
      get: function () { return real ? real._dashprivate_isLazyComponentReady || true : fetchScript(); },
    });
    const stand = {};
    stand[name] = Object.assign(Late, statics);
    window[library] = stand;
  }

  late('dash_ag_grid', 'AgGrid', { dashRenderType: true });
  late('dash_cytoscape', 'Cytoscape', {}, true);
})();
