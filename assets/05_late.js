// Two heavy component libraries are fetched when the first of their components is drawn, not with every page
// (components/late.py takes their scripts out of the page). Until then a component of ours stands for each.
(function () {
  'use strict';
  const React = window.React;

  function late(library, name, statics) {
    if (window[library] || !React) return;
    let real = null, asked = null;
    function fetchScript() {
      asked = asked || new Promise(function (done, failed) {
        const script = document.createElement('script');
        script.src = '/_dash-component-suites/' + library + '/' + library + '.min.js';
        script.onload = done;
        script.onerror = function () { asked = null; failed(new Error(library + ' did not load')); };
        document.head.append(script);
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
      React.useEffect(function () {
        let here = true;
        if (!state[0]) fetchScript().then(function (component) { if (here) state[1](function () { return component; }); });
        return function () { here = false; };
      }, []);
      return state[0] ? React.createElement(state[0], props) : React.createElement('div', { className: props.className, style: props.style });
    }
    // Dash holds back the callbacks of a component until this says that it is there.
    Object.defineProperty(Late, '_dashprivate_isLazyComponentReady', {
      get: function () { return real ? real._dashprivate_isLazyComponentReady || true : fetchScript(); },
    });
    const stand = {};
    stand[name] = Object.assign(Late, statics);
    window[library] = stand;
  }

  late('dash_ag_grid', 'AgGrid', { dashRenderType: true });
  late('dash_cytoscape', 'Cytoscape', {});
})();
