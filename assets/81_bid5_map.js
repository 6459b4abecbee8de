// The products on the one map of the product: a point each, where they have places.
(function () {
  'use strict';
  const headroom = window.headroom, D = headroom.pane, B = headroom.bidding;
  const FAN = 0.018; // products of one bus stand on a ring, this share of the whole wide, so that each can be pressed
  const SIGN = { none: 0, fine: 1, firm: 2, flexible: 3, binding: 4, candidate: 5, stale: 6 };

  function placed(lots) { return lots.filter(function (lot) { return typeof lot.longitude === 'number' && typeof lot.latitude === 'number'; }); }
  function points(lots) {
    const groups = new Map();
    lots.forEach(function (lot) {
      const key = lot.longitude.toFixed(5) + '/' + lot.latitude.toFixed(5);
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(lot.id);
    });
    const spread = function (name) { const at = lots.map(function (lot) { return lot[name]; }); return Math.max.apply(null, at) - Math.min.apply(null, at); };
    const fan = FAN * Math.max(spread('longitude'), spread('latitude'), 1);
    return {
      type: 'FeatureCollection',
      features: lots.map(function (lot, i) {
        const group = groups.get(lot.longitude.toFixed(5) + '/' + lot.latitude.toFixed(5)), turn = 2 * Math.PI * group.indexOf(lot.id) / group.length;
        const ring = group.length > 1 ? fan : 0;
        return {
          type: 'Feature', geometry: { type: 'Point', coordinates: [lot.longitude + ring * Math.cos(turn), lot.latitude + ring * Math.sin(turn)] },
          properties: { i: i, id: lot.id, n: lot.name, v: null, z: D.megawatts(lot.mw) + ', ' + B.risk(lot) },
        };
      }),
    };
  }
  // data: what the map's Store of layers holds (components/grid_map.py, layers_data)
  function layer(label, palette, classes, labels, texts, note) {
    return { label: label, unit: '', palette: palette, buses: classes, branches: null, labels: labels, busText: texts, branchText: null, note: note || '' };
  }
  function demandClass(lot) { return 1 + Math.min(3, lot.bids || 0); }
  const DEMAND = ['no new bid', '1 new bid', '2 new bids', '3 and more'];

  function Map_(page, root, dot) { // dot: radius of a point, where it is to be seen from afar
    let drawn = '', painted = '', corners = null;
    // The map may have been made while its pane was hidden: it learns what to show when its points stand.
    function fit(event) {
      if (event.detail.page !== page || event.detail.store !== 'buses' || !corners) return;
      const shown = headroom.maps[page];
      if (dot) shown.dot = dot;
      shown.bounds = new window.L.LatLngBounds(corners);
      shown.moved = false;
      if (shown.map.getSize().y > 0) shown.map.fitBounds(shown.bounds, { animate: false });
    }
    document.addEventListener('headroom:map', fit);
    return {
      chosen: function () { // the product that was pressed, null without one
        const shown = headroom.maps[page];
        return shown && shown.map && shown.selected ? String(shown.selected).replace(/^bus:/, '') : null;
      },
      gone: function () { document.removeEventListener('headroom:map', fit); },
      draw: function (snapshot, own, extra) { // own(lot) -> class of the layer "mine", or null without a seat
        const lots = placed(snapshot.lots), frame = root.querySelector('[data-seat-map]');
        if (!frame) return 0;
        frame.hidden = !lots.length;
        if (!lots.length) return 0;
        const key = lots.map(function (lot) { return [lot.id, lot.longitude, lot.latitude].join('/'); }).join(' ');
        if (key !== drawn) {
          drawn = key;
          const shape = points(lots), west = [], north = [];
          shape.features.forEach(function (f) { west.push(f.geometry.coordinates[0]); north.push(f.geometry.coordinates[1]); });
          const low = [Math.min.apply(null, north), Math.min.apply(null, west)], high = [Math.max.apply(null, north), Math.max.apply(null, west)];
          const border = 0.15 * Math.max(high[0] - low[0], high[1] - low[1], 1);
          corners = [[low[0] - border, low[1] - border], [high[0] + border, high[1] + border]];
          headroom.setProps(page + '-map-buses', { data: shape });
        }
        const words = function (lot) { return lot.price === null ? 'no bid yet' : D.number(lot.price) + ' ' + snapshot.currency + ', ' + D.count(lot.bids || 0, 'new bid'); };
        const layers = {};
        if (own) layers.mine = layer('Mine', 'signs', lots.map(own), ['held by me', '', '', '', 'ticked', ''], lots.map(words));
        layers.demand = layer('Demand', 'cividis', lots.map(demandClass), DEMAND, lots.map(words), 'New bids in the last round');
        layers.risk = layer('Firm or flexible', 'signs', lots.map(function (lot) { return lot.risk ? SIGN.flexible : SIGN.firm; }), ['', 'firm', 'flexible', '', '', ''], lots.map(B.risk));
        const data = Object.assign({ layers: layers, candidates: [], bindingBranches: [], bindingBuses: [], stale: false }, extra);
        const look = JSON.stringify(data);
        if (look !== painted) { painted = look; headroom.setProps(page + '-map-layers', { data: data }); }
        return lots.length;
      },
    };
  }

  B.map = Map_;
  B.SIGN = SIGN;
  B.demandClass = demandClass;
  B.DEMAND = DEMAND;
})();
