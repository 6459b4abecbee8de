// The feeder's one-line diagram: painting. Hour, layer, case, selection and theme change here, without the server.
(function () {
  'use strict';
  const feeder = (window.headroomFeeder = window.headroomFeeder || {});
  const MOVE_MS = 150;
  const PANES = { off: ['off'], on: ['on'], both: ['off', 'on'], difference: ['difference'] };
  const TITLES = { off: 'Without SVG', on: 'With SVG', difference: 'With SVG less without' };
  const scenes = (feeder.scenes = feeder.scenes || {}); // by page

  function namesOf(held, wanted) {
    const names = PANES[wanted] || ['off'];
    const known = names.every(function (name) { return name === 'difference' ? held.names.length === 2 : held.names.indexOf(name) >= 0; });
    return known ? names : held.names.slice(0, 1);
  }

  // What is asked, kept by page; drawn when the place is there and has a size.
  feeder.paint = function (page, drawing, hour, layer, wanted, selection, theme) {
    const host = document.querySelector('[data-feeder-diagram="' + page + '"]');
    if (!host) return;
    const frame = host.closest('[data-feeder-frame]');
    let scene = scenes[page];
    if (!drawing || !drawing.buses) {
      if (scene) scene.gone();
      delete scenes[page];
      frame.removeAttribute('data-drawn');
      host.querySelector('[data-feeder-panes]').replaceChildren();
      return;
    }
    if (!scene || scene.host !== host) {
      if (scene) scene.gone();
      scene = scenes[page] = { page: page, host: host, frame: frame, view: { k: 1, x: 0, y: 0 }, focus: null, whole: null };
      watch(scene);
    }
    const before = scene.held;
    if (!before || before.drawing.key !== drawing.key) {
      scene.held = feeder.opened(drawing);
      scene.panes = null;
      if (!before || before.drawing.name !== drawing.name || before.drawing.buses.length !== drawing.buses.length) scene.view = { k: 1, x: 0, y: 0 };
      scene.shown = null;
    }
    const at = Math.max(0, Math.min(drawing.labels.length - 1, Number(hour) || 0));
    const names = namesOf(scene.held, wanted);
    const known = drawing.layers[layer] ? layer : 'voltage';
    const kept = scene.asked || {};
    scene.asked = { hour: at, layer: known, names: names, selection: String(selection || ''), theme: theme === 'dark' ? 'dark' : 'light' };
    if (!scene.panes || kept.names.join() !== names.join()) build(scene);
    if (kept.selection !== scene.asked.selection) {
      const told = feeder.parsed(scene, scene.asked.selection);
      if (told) scene.focus = told.bus;
    }
    recolour(scene, kept.layer === known && kept.names && kept.names.join() === names.join() && kept.theme === scene.asked.theme && kept.hour !== at);
    frame.setAttribute('data-drawn', '');
  };

  // Whether the scale is that of the day: as chosen, else of prices in all that of the hour, since the day's hides places.
  feeder.whole = function (scene) {
    return scene.whole === null ? ['price', 'reactive'].indexOf(scene.asked.layer) < 0 : scene.whole;
  };
  function watch(scene) {
    const sizes = new ResizeObserver(function () { if (scene.panes) feeder.fit(scene); });
    sizes.observe(scene.host);
    const themed = function () {
      if (scene.asked && scene.held) { scene.asked.theme = window.headroom.theme.now(); recolour(scene, false); }
    };
    document.addEventListener('headroom:theme', themed);
    const forget = feeder.hand(scene);
    scene.gone = function () { sizes.disconnect(); document.removeEventListener('headroom:theme', themed); forget(); window.cancelAnimationFrame(scene.moving); };
  }

  function build(scene) {
    const holder = scene.host.querySelector('[data-feeder-panes]'), names = scene.asked.names;
    holder.replaceChildren();
    scene.panes = names.map(function (name) {
      return feeder.pane(scene.held.drawing, name, names.length > 1 || name === 'difference' ? TITLES[name] : '', holder);
    });
    scene.fresh = true;
    lay(scene);
  }

  // Size and places of the panes; side by side or one above the other, as the room is.
  feeder.fit = function (scene) {
    if (!lay(scene)) return;
    marks(scene);
    labels(scene);
    colour(scene, values(scene));
    feeder.legend(scene);
  };
  function lay(scene) {
    const holder = scene.host.querySelector('[data-feeder-panes]'), box = holder.getBoundingClientRect();
    if (!box.width || !box.height || !scene.panes) return false;
    scene.host.style.touchAction = scene.view.k > 1 ? 'none' : 'pan-y'; // a phone's page still scrolls over it
    const beside = scene.panes.length > 1 && box.width > 2.4 * box.height;
    holder.classList.toggle('hr-feeder-beside', beside);
    scene.panes.forEach(function (pane) {
      const size = pane.box.getBoundingClientRect();
      pane.width = size.width;
      pane.height = size.height;
      pane.svg.setAttribute('viewBox', '0 0 ' + size.width.toFixed(0) + ' ' + size.height.toFixed(0));
      pane.places = feeder.places(scene.held.drawing, size.width, size.height, scene.view);
      feeder.arrange(pane, scene.held.drawing, pane.places);
    });
    return true;
  }

  // What is selected: {kind, name, bus, link}, by positions.
  feeder.parsed = function (scene, selection) {
    const drawing = scene.held.drawing, cut = selection.indexOf(':');
    const kind = selection.slice(0, cut), name = selection.slice(cut + 1);
    if (kind === 'bus') {
      const bus = drawing.buses.findIndex(function (b) { return b[0] === name; });
      return bus < 0 ? null : { kind: kind, bus: bus };
    }
    if (kind === 'link') {
      const link = drawing.links.findIndex(function (l) { return l.n === name; });
      return link < 0 ? null : { kind: kind, link: link, bus: drawing.links[link].t };
    }
    if (kind === 'centre') {
      const device = drawing.devices.find(function (d) { return d.t === 'centre' && d.n === name; });
      return device ? { kind: kind, bus: device.b } : null;
    }
    return null;
  };

  // Painting -------------------------------------------------------------------------------------------------
  function values(scene) {
    const asked = scene.asked;
    return asked.names.map(function (name) { return asked.layer === 'phases' ? null : scene.held.values(name, asked.layer, asked.hour); });
  }
  function recolour(scene, smooth) {
    const asked = scene.asked;
    scene.scale = asked.layer === 'phases' ? null : feeder.scale(scene.held, asked.names, asked.layer, feeder.whole(scene) ? null : asked.hour);
    window.cancelAnimationFrame(scene.moving);
    const wanted = values(scene), start = scene.shown;
    const same = start && start.length === wanted.length && start.every(function (row, at) { return row && wanted[at] && row.length === wanted[at].length; });
    marks(scene);
    const named = [asked.selection, scene.focus, asked.names.join()].join('|');
    if (scene.named !== named || scene.fresh) { scene.named = named; scene.fresh = false; labels(scene); }
    feeder.legend(scene);
    if (!smooth || !same || window.headroom.calm()) { colour(scene, wanted); return; }
    const began = performance.now();
    (function step(now) {
      const share = Math.min(1, Math.max(0, (now - began) / MOVE_MS)); // by the clock: a slow machine draws fewer steps
      colour(scene, wanted.map(function (row, pane) {
        return row.map(function (value, at) { return isFinite(start[pane][at]) ? start[pane][at] + share * (value - start[pane][at]) : value; });
      }));
      if (share < 1) scene.moving = window.requestAnimationFrame(step); else scene.shown = wanted;
    })(began);
  }

  function colour(scene, rows) {
    scene.shown = rows;
    scene.panes.forEach(function (pane, at) { paintPane(scene, pane, rows[at]); });
  }

  // What follows from the layer alone: which strokes there are, and how they are drawn.
  function dress(scene, pane, told) {
    const drawing = scene.held.drawing;
    pane.of = told.of;
    pane.svg.setAttribute('data-of', told.of);
    drawing.links.forEach(function (link, at) {
      pane.links[at].strokes.forEach(function (stroke, slot) {
        if (!stroke) return;
        const on = told.of === 'node' || told.of === 'bus' ? link.m : link.p;
        stroke.on = on.indexOf(slot) >= 0;
        stroke.last = undefined;
        stroke.path.style.display = stroke.on ? '' : 'none';
        stroke.path.setAttribute('data-slot', slot);
        stroke.path.setAttribute('stroke-dasharray', told.of === 'phase' ? feeder.DASHES[slot] : '');
        stroke.path.setAttribute('stroke-linecap', told.of === 'phase' && slot === 1 ? 'round' : 'butt');
      });
    });
    drawing.buses.forEach(function (_, at) { pane.buses[at].round.style.display = 'none'; });
  }

  // A class colours what has no value: a phase by its own colour, the rest in grey.
  function dye(stroke, first, last, phase) {
    const wanted = first && last ? first + last : phase ? 'phase' : 'plain';
    if (stroke.last === wanted) return;
    stroke.last = wanted;
    const shown = Boolean(first && last);
    if (shown && first !== last) {
      stroke.stops[0].setAttribute('stop-color', first);
      stroke.stops[1].setAttribute('stop-color', last);
    }
    stroke.path.style.stroke = !shown ? '' : first === last ? first : 'url(#' + stroke.id + ')';
    stroke.under.style.display = shown && stroke.on ? '' : 'none';
    stroke.path.classList.toggle('hr-feeder-plain', !phase && !shown);
  }

  function paintPane(scene, pane, row) {
    const drawing = scene.held.drawing, asked = scene.asked, told = drawing.layers[asked.layer];
    const shade = function (value) { return scene.scale && !scene.scale.none ? feeder.colour(scene.scale, asked.theme, value) : null; };
    const node = feeder.nodeIndex(scene);
    if (pane.of !== told.of) dress(scene, pane, told);
    drawing.links.forEach(function (link, at) {
      pane.links[at].strokes.forEach(function (stroke, slot) {
        if (!stroke || !stroke.on) return;
        let first = null, last = null;
        if (told.of === 'node' && row) {
          first = shade(row[node[link.f][slot]]);
          last = shade(row[node[link.t][slot]]);
          first = first || last;
        } else if (told.of === 'link' && row) first = last = shade(row[3 * at + slot]);
        dye(stroke, first, last, told.of === 'phase');
      });
    });
    if (told.of === 'bus' && row) {
      drawing.whole.forEach(function (bus, at) {
        const round = pane.buses[bus].round, found = shade(row[at]);
        round.style.display = found ? 'inline' : 'none';
        if (found) round.setAttribute('fill', found);
      });
    }
    if (pane.hour === asked.hour) return;
    pane.hour = asked.hour;
    drawing.devices.forEach(function (device, at) {
      const shown = pane.name === 'difference' ? 'on' : pane.name, series = device.v[shown];
      pane.devices[at].group.classList.toggle('hr-feeder-absent', device.t === 'svg' && pane.name === 'off');
      if (series) feeder.fill(pane.devices[at], device.t, series[asked.hour] / (device.most || 1));
    });
  }

  // Where each member of each bus is among the nodes: [bus][slot].
  feeder.nodeIndex = function (scene) {
    if (scene.held.index) return scene.held.index;
    const index = scene.held.drawing.buses.map(function () { return [-1, -1, -1]; });
    scene.held.drawing.nodes.forEach(function (node, at) { index[node[0]][node[1]] = at; });
    scene.held.index = index;
    return index;
  };

  // Limits, selection, the way to the source, the keyboard's place: what does not move between two hours.
  function marks(scene) {
    const drawing = scene.held.drawing, asked = scene.asked;
    const told = feeder.parsed(scene, asked.selection);
    const way = new Set();
    let up = told ? (told.link !== undefined ? drawing.links[told.link].t : told.bus) : -1;
    while (up >= 0 && drawing.buses[up][4] >= 0) { way.add(drawing.buses[up][5]); up = drawing.buses[up][4]; }
    scene.panes.forEach(function (pane) {
      const of = drawing.cases[pane.name === 'difference' ? 'on' : pane.name];
      const found = of ? of.marks[asked.hour] : [{}, {}, {}];
      const atBus = {};
      Object.keys(found[0]).forEach(function (node) {
        const bus = drawing.nodes[node][0];
        atBus[bus] = Math.max(atBus[bus] || 0, found[0][node]);
      });
      drawing.links.forEach(function (link, at) {
        if (link.o) return;
        const parts = pane.links[at];
        parts.casing.classList.toggle('hr-feeder-binds', Boolean(found[1][at]));
        parts.warn.style.display = found[1][at] === 2 ? '' : 'none';
        parts.way.classList.toggle('hr-feeder-on', way.has(at));
        parts.way.classList.toggle('hr-feeder-chosen', Boolean(told) && told.link === at);
      });
      drawing.devices.forEach(function (_, at) { pane.devices[at].group.classList.toggle('hr-feeder-binds', Boolean(found[2][at])); });
      drawing.buses.forEach(function (_, at) {
        const parts = pane.buses[at], chosen = Boolean(told) && told.link === undefined && told.bus === at;
        parts.mark.classList.toggle('hr-feeder-binds', Boolean(atBus[at]));
        parts.warn.style.display = atBus[at] ? '' : 'none';
        parts.warn.classList.toggle('hr-feeder-exceeded', atBus[at] === 2);
        parts.mark.classList.toggle('hr-feeder-chosen', chosen);
        parts.label.classList.toggle('hr-feeder-chosen', chosen);
        parts.touch.classList.toggle('hr-feeder-focus', scene.focus === at);
      });
    });
  }
  function labels(scene) {
    const drawing = scene.held.drawing, told = feeder.parsed(scene, scene.asked.selection);
    const first = [].concat(told ? [told.bus] : [], scene.focus !== null ? [scene.focus] : [], [drawing.source], drawing.devices.map(function (d) { return d.b; }));
    scene.panes.forEach(function (pane) {
      if (pane.places) feeder.label(pane, drawing, pane.places, first.filter(function (b, k) { return first.indexOf(b) === k; }), pane.width, pane.height);
    });
  }
  feeder.marks = function (scene) { marks(scene); labels(scene); };
  feeder.recolour = recolour;

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.feeder = Object.assign(clientside.feeder || {}, {
    paint: function (drawing, hour, layer, wanted, selection, theme) {
      feeder.paint('feeder', drawing, hour, layer, wanted, selection, theme);
      return window.dash_clientside.no_update;
    },
  });
})();
