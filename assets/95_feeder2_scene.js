// The feeder's one-line diagram: where things stand, and the SVG elements of one pane. Three strokes for a link.
(function () {
  'use strict';
  const feeder = (window.headroomFeeder = window.headroomFeeder || {});
  const SPACE = 'http://www.w3.org/2000/svg';
  const FAN = 16; // px over which a branch leaves its row
  const DASHES = ['6 3.5', '1.2 3.2', '']; // phases a, b, c: dash, dot, line

  function make(tag, attributes, parent) {
    const node = document.createElementNS(SPACE, tag);
    Object.keys(attributes || {}).forEach(function (name) { node.setAttribute(name, attributes[name]); });
    if (parent) parent.appendChild(node);
    return node;
  }
  feeder.make = make;

  // Places -------------------------------------------------------------------------------------------------
  // Of all buses in px: the feeder stretched into the pane, or turned so that it runs downwards in a high one.
  feeder.places = function (drawing, width, height, view) {
    const buses = drawing.buses;
    const xs = buses.map(function (b) { return b[1]; }), ys = buses.map(function (b) { return -b[2]; });
    const ends = function (list) { return [Math.min.apply(null, list), Math.max.apply(null, list)]; };
    const turned = !drawing.own && height > 1.15 * width;
    const along = ends(xs), across = ends(ys);
    const margin = turned ? { l: 22, r: 40, t: 34, b: 44 } : { l: 58, r: 92, t: 30, b: 22 };
    const room = [Math.max(60, width - margin.l - margin.r), Math.max(60, height - margin.t - margin.b)];
    let scale;
    if (drawing.own) {
      const same = Math.min(room[0] / (along[1] - along[0] || 1), room[1] / (across[1] - across[0] || 1));
      scale = [same, same];
    } else {
      const span = [along[1] - along[0] || 1, across[1] - across[0] || 1];
      scale = turned ? [room[1] / span[0], room[0] / span[1]] : [room[0] / span[0], Math.min(room[1] / span[1], 64)];
    }
    const slack = turned || drawing.own ? 0 : (room[1] - scale[1] * (across[1] - across[0])) / 2;
    const points = buses.map(function (_, at) {
      const u = scale[0] * (xs[at] - along[0]), v = scale[1] * (ys[at] - across[0]);
      const x = turned ? margin.l + v : margin.l + u, y = turned ? margin.t + u : margin.t + slack + v;
      return [view.x + view.k * x, view.y + view.k * y];
    });
    const pitch = drawing.own ? 18 : Math.abs(view.k * scale[1]) || 18;
    const gap = Math.max(1.7, Math.min(5, pitch * 0.2));
    return { points: points, turned: turned, gap: gap, stroke: Math.max(1.3, gap * 0.64), pitch: pitch, own: drawing.own };
  };

  // The course of a link: it leaves its row at once and then runs in that of its lower end.
  function course(places, from, to) {
    const a = places.points[from], b = places.points[to];
    if (places.own) return [a, b];
    const main = places.turned ? 1 : 0, other = 1 - main;
    if (Math.abs(a[other] - b[other]) < 0.5) return [a, b];
    const along = b[main] - a[main];
    const fan = Math.min(Math.max(FAN, Math.abs(a[other] - b[other]) * 0.18), Math.abs(along) * 0.75) * Math.sign(along || 1);
    const knee = [0, 0];
    knee[main] = a[main] + fan;
    knee[other] = b[other];
    return [a, knee, b];
  }
  // The same course beside itself by `by` px, its corner mitred.
  function beside(line, by) {
    const normals = [];
    for (let at = 0; at + 1 < line.length; at += 1) {
      const dx = line[at + 1][0] - line[at][0], dy = line[at + 1][1] - line[at][1], length = Math.hypot(dx, dy) || 1;
      normals.push([-dy / length, dx / length]);
    }
    return line.map(function (point, at) {
      const one = normals[Math.max(0, at - 1)], two = normals[Math.min(normals.length - 1, at)];
      let nx = one[0] + two[0], ny = one[1] + two[1];
      const square = nx * nx + ny * ny || 1, grow = Math.min(2 / square, 1.6);
      nx *= grow; ny *= grow;
      return [point[0] + by * nx, point[1] + by * ny];
    });
  }
  function path(line) {
    return line.map(function (p, at) { return (at ? 'L' : 'M') + p[0].toFixed(1) + ' ' + p[1].toFixed(1); }).join('');
  }
  function middle(line) {
    const a = line[line.length - 2], b = line[line.length - 1];
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }

  // One pane -------------------------------------------------------------------------------------------------
  let made = 0;
  feeder.pane = function (drawing, name, title, parent) {
    const key = 'feeder-pane-' + (made += 1);
    const box = document.createElement('div');
    box.className = 'hr-feeder-pane';
    if (title) {
      const head = document.createElement('p');
      head.className = 'hr-feeder-pane-title';
      head.textContent = title;
      box.appendChild(head);
    }
    parent.appendChild(box);
    const svg = make('svg', { class: 'hr-feeder-svg', 'aria-hidden': 'true' }, box);
    const defs = make('defs', {}, svg);
    const layer = {};
    ['ties', 'ways', 'casings', 'strokes', 'signs', 'stems', 'buses', 'devices', 'labels', 'touch'].forEach(function (word) {
      layer[word] = make('g', { class: 'hr-feeder-' + word }, svg);
    });
    const links = drawing.links.map(function (link, at) {
      if (link.o) {
        return { open: make('path', { class: 'hr-feeder-tie' }, layer.ties), box: make('rect', { class: 'hr-feeder-gap' }, layer.signs), strokes: [] };
      }
      const strokes = [0, 1, 2].map(function (slot) {
        if (link.p.indexOf(slot) < 0 && link.m.indexOf(slot) < 0) return null;
        const id = key + '-' + at + '-' + slot;
        const gradient = make('linearGradient', { id: id, gradientUnits: 'userSpaceOnUse' }, defs);
        return {
          gradient: gradient, id: id,
          stops: [make('stop', { offset: '0' }, gradient), make('stop', { offset: '1' }, gradient)],
          under: make('path', { class: 'hr-feeder-under' }, layer.strokes), path: make('path', { class: 'hr-feeder-stroke' }, layer.strokes),
        };
      });
      const sign = link.k === 'line' ? null : make('g', { class: 'hr-feeder-sign hr-feeder-sign-' + link.k }, layer.signs);
      if (sign) signOf(link.k, sign);
      return {
        way: make('path', { class: 'hr-feeder-way' }, layer.ways), casing: make('path', { class: 'hr-feeder-casing' }, layer.casings),
        warn: make('path', { class: 'hr-feeder-warn hr-feeder-exceeded' }, layer.devices), strokes: strokes, sign: sign, touch: make('path', { class: 'hr-feeder-touch', 'data-link': at }, layer.touch),
      };
    });
    const loads = new Map(drawing.loads);
    const buses = drawing.buses.map(function (bus, at) {
      return {
        load: loads.has(at) ? make('path', { class: 'hr-feeder-load' }, layer.stems) : null,
        mark: make('rect', { class: 'hr-feeder-bus', rx: 1.5 }, layer.buses),
        round: make('circle', { class: 'hr-feeder-round' }, layer.buses),
        warn: make('path', { class: 'hr-feeder-warn' }, layer.devices),
        label: make('text', { class: 'hr-feeder-label' }, layer.labels),
        touch: make('circle', { class: 'hr-feeder-touch', r: 11, 'data-bus': at }, layer.touch),
      };
    });
    drawing.buses.forEach(function (bus, at) { buses[at].label.textContent = bus[0]; });
    const devices = drawing.devices.map(function (device) {
      return feeder.glyph(device.t, layer.devices, layer.stems);
    });
    const source = make('path', { class: 'hr-feeder-source' }, layer.buses);
    return { name: name, box: box, svg: svg, links: links, buses: buses, devices: devices, source: source, loads: loads };
  };

  function signOf(kind, group) {
    if (kind === 'transformer') {
      make('circle', { cx: -3.5, cy: 0, r: 5.5 }, group);
      make('circle', { cx: 3.5, cy: 0, r: 5.5 }, group);
      make('path', { d: 'M-3.5 -5.5A5.5 5.5 0 0 1 -3.5 5.5', class: 'hr-feeder-only' }, group);
    } else if (kind === 'regulator') {
      make('circle', { cx: 0, cy: 0, r: 6.5 }, group);
      make('path', { d: 'M-5 5L5.5 -5.5M1.5 -6L6 -6L6 -1.5', class: 'hr-feeder-only' }, group);
    } else {
      make('rect', { x: -4, y: -4, width: 8, height: 8 }, group);
    }
  }

  // A device: its outline, and a level that says how much of its most it draws or gives.
  feeder.glyph = function (kind, parent, stems) {
    const group = make('g', { class: 'hr-feeder-device hr-feeder-device-' + kind }, parent);
    const clip = 'feeder-clip-' + (made += 1);
    const outline = {
      centre: 'M-6.5 -6.5H6.5V6.5H-6.5Z', generator: 'M7 0A7 7 0 1 1 -7 0A7 7 0 1 1 7 0Z', sun: 'M5.6 0A5.6 5.6 0 1 1 -5.6 0A5.6 5.6 0 1 1 5.6 0Z',
      svg: 'M0 -8.5L8.5 0L0 8.5L-8.5 0Z', capacitor: 'M-6 -6.5H6V6.5H-6Z',
    }[kind];
    make('path', { d: outline }, make('clipPath', { id: clip }, group));
    make('path', { d: outline, class: 'hr-feeder-ground' }, group);
    const level = make('rect', { x: -9, width: 18, y: 0, height: 0, class: 'hr-feeder-level', 'clip-path': 'url(#' + clip + ')' }, group);
    if (kind === 'sun') {
      const rays = [0, 1, 2, 3, 4, 5, 6, 7].map(function (at) {
        const c = Math.cos(at * Math.PI / 4), s = Math.sin(at * Math.PI / 4);
        return 'M' + (7 * c).toFixed(1) + ' ' + (7 * s).toFixed(1) + 'L' + (9.2 * c).toFixed(1) + ' ' + (9.2 * s).toFixed(1);
      }).join('');
      make('path', { d: rays, class: 'hr-feeder-outline' }, group);
    }
    if (kind === 'capacitor') make('path', { d: 'M-4 -1.6H4M-4 1.6H4', class: 'hr-feeder-outline' }, group);
    if (kind === 'generator') make('path', { d: 'M-3.5 0.5C-2.5 -3 -1 -3 0 0.5S2.5 4 3.5 0.5', class: 'hr-feeder-thin' }, group);
    if (kind === 'centre') make('path', { d: 'M-3.8 -2.4H3.8M-3.8 0.4H3.8M-3.8 3.2H3.8', class: 'hr-feeder-thin' }, group);
    if (kind !== 'capacitor') make('path', { d: outline, class: 'hr-feeder-outline' }, group);
    return { group: group, level: level, stem: stems ? make('path', { class: 'hr-feeder-stem' }, stems) : null };
  };
  // `share` of its most; a static var generator fills from its middle, upwards when it gives.
  feeder.fill = function (device, kind, share) {
    const half = kind === 'sun' ? 5.6 : kind === 'centre' ? 6.5 : kind === 'svg' ? 8.5 : 7;
    const kept = Math.max(-1, Math.min(1, isFinite(share) ? share : 0));
    const top = kind === 'svg' ? (kept > 0 ? -half * kept : 0) : half - 2 * half * Math.max(0, kept);
    const height = kind === 'svg' ? half * Math.abs(kept) : 2 * half * Math.max(0, kept);
    device.level.setAttribute('y', top.toFixed(2));
    device.level.setAttribute('height', height.toFixed(2));
  };

  // Puts a pane's elements where they belong.
  feeder.arrange = function (pane, drawing, places) {
    const gap = places.gap, points = places.points, turned = places.turned;
    const leaf = drawing.buses.map(function () { return true; });
    drawing.buses.forEach(function (bus) { if (bus[4] >= 0) leaf[bus[4]] = false; });
    drawing.links.forEach(function (link, at) {
      const parts = pane.links[at];
      if (link.o) {
        const line = [points[link.f], points[link.t]], where = middle(line);
        parts.open.setAttribute('d', path(line));
        Object.entries({ x: where[0] - 4, y: where[1] - 4, width: 8, height: 8 }).forEach(function (e) { parts.box.setAttribute(e[0], e[1].toFixed(1)); });
        return;
      }
      const line = course(places, link.f, link.t), slots = [0, 1, 2].filter(function (slot) { return parts.strokes[slot]; });
      const first = slots[0] - 1, last = slots[slots.length - 1] - 1, way = turned ? -1 : 1;
      const d = path(line), band = path(beside(line, way * gap * (first + last) / 2));
      parts.way.setAttribute('d', band);
      parts.casing.setAttribute('d', band);
      parts.touch.setAttribute('d', d);
      parts.casing.setAttribute('stroke-width', (gap * (last - first) + places.stroke + 9).toFixed(1));
      parts.way.setAttribute('stroke-width', (gap * (last - first) + places.stroke + 12).toFixed(1));
      const centre = middle(line);
      parts.warn.setAttribute('d', 'M' + centre[0].toFixed(1) + ' ' + (centre[1] - gap - 16).toFixed(1) + 'l5.4 9.4h-10.8Z');
      parts.strokes.forEach(function (stroke, slot) {
        if (!stroke) return;
        const beside_ = beside(line, (turned ? 1 - slot : slot - 1) * gap);
        stroke.path.setAttribute('d', path(beside_));
        stroke.path.setAttribute('stroke-width', places.stroke.toFixed(2));
        stroke.under.setAttribute('d', path(beside_));
        stroke.under.setAttribute('stroke-width', (places.stroke + 1.1).toFixed(2));
        const a = beside_[0], b = beside_[beside_.length - 1];
        [['x1', a[0]], ['y1', a[1]], ['x2', b[0] + 0.01], ['y2', b[1] + 0.01]].forEach(function (e) { stroke.gradient.setAttribute(e[0], e[1].toFixed(2)); });
      });
      if (parts.sign) {
        const where = middle(line);
        const small = Math.min(1, Math.max(0.6, places.pitch / 18));
        parts.sign.setAttribute('transform', 'translate(' + where[0].toFixed(1) + ' ' + where[1].toFixed(1) + ') scale(' + small.toFixed(2) + ')' + (turned ? ' rotate(90)' : ''));
      }
    });
    const long = 2 * gap + places.stroke + 4;
    const stands = drawing.buses.map(function () { return []; });
    drawing.devices.forEach(function (device, at) { stands[device.b].push(at); });
    pane.placed = { leaf: leaf, long: long };
    drawing.buses.forEach(function (bus, at) {
      const parts = pane.buses[at], p = points[at];
      const wide = turned ? long : 3.4, high = turned ? 3.4 : long;
      [['x', p[0] - wide / 2], ['y', p[1] - high / 2], ['width', wide], ['height', high]].forEach(function (e) { parts.mark.setAttribute(e[0], e[1].toFixed(1)); });
      [parts.round, parts.touch].forEach(function (c) { c.setAttribute('cx', p[0].toFixed(1)); c.setAttribute('cy', p[1].toFixed(1)); });
      parts.round.setAttribute('r', Math.max(3.5, Math.min(6.5, places.pitch * 0.33)).toFixed(1));
      parts.warn.setAttribute('d', 'M' + p[0].toFixed(1) + ' ' + (p[1] - long / 2 - 9).toFixed(1) + 'l4.6 8h-9.2Z');
      if (parts.load) {
        const size = Math.min(3.2 + Math.sqrt(pane.loads.get(at)) * 0.16, Math.max(3, places.pitch * 0.3));
        const x = turned ? p[0] + long / 2 : p[0], y = turned ? p[1] : p[1] + long / 2;
        parts.load.setAttribute('d', turned
          ? 'M' + x.toFixed(1) + ' ' + (y - size * 0.8).toFixed(1) + 'v' + (1.6 * size).toFixed(1) + 'l' + (1.3 * size).toFixed(1) + ' ' + (-0.8 * size).toFixed(1) + 'Z'
          : 'M' + (x - size * 0.8).toFixed(1) + ' ' + y.toFixed(1) + 'h' + (1.6 * size).toFixed(1) + 'l' + (-0.8 * size).toFixed(1) + ' ' + (1.3 * size).toFixed(1) + 'Z');
      }
      standing(pane, places, stands[at], at, leaf[at], long);
    });
    const s = points[drawing.source], half = long / 2 + 5;
    pane.source.setAttribute('d', turned
      ? 'M' + (s[0] - half) + ' ' + (s[1] - 5) + 'h' + 2 * half + 'M' + s[0] + ' ' + (s[1] - 5) + 'v-9m-5 0h10'
      : 'M' + (s[0] - 5) + ' ' + (s[1] - half) + 'v' + 2 * half + 'M' + (s[0] - 5) + ' ' + s[1] + 'h-9m0 -5v10');
  };

  // Devices stand beyond a bus at an end, else above it, on stems.
  function standing(pane, places, list, bus, isLeaf, long) {
    const p = places.points[bus], small = Math.min(1, Math.max(0.62, places.pitch / 20)), step = 18 * small;
    pane.buses[bus].after = isLeaf ? list.length * step : 0;
    list.forEach(function (at, k) {
      const device = pane.devices[at];
      let x, y;
      if (isLeaf) { // in its own row there is nothing beyond it
        x = places.turned ? p[0] : p[0] + 13 * small + k * step;
        y = places.turned ? p[1] + 13 * small + k * step : p[1];
      } else {
        const rise = long / 2 + 10 * small, shift = (k - (list.length - 1) / 2) * step;
        x = places.turned ? p[0] - rise : p[0] + shift;
        y = places.turned ? p[1] + shift : p[1] - rise;
      }
      device.group.setAttribute('transform', 'translate(' + x.toFixed(1) + ' ' + y.toFixed(1) + ') scale(' + small.toFixed(2) + ')');
      device.stem.setAttribute('d', path([p, [x, y]]));
    });
  }

  // How much of a rectangle links and buses cover, in cells of a few px.
  const CELL = 5;
  function covered(drawing, places) {
    const cells = new Set();
    const add = function (x, y) { cells.add(Math.round(x / CELL) + ',' + Math.round(y / CELL)); };
    drawing.links.forEach(function (link) {
      if (link.o) return;
      const line = course(places, link.f, link.t);
      for (let at = 0; at + 1 < line.length; at += 1) {
        const long = Math.hypot(line[at + 1][0] - line[at][0], line[at + 1][1] - line[at][1]), steps = Math.ceil(long / CELL) || 1;
        for (let k = 0; k <= steps; k += 1) {
          const x = line[at][0] + (line[at + 1][0] - line[at][0]) * k / steps, y = line[at][1] + (line[at + 1][1] - line[at][1]) * k / steps;
          [-places.gap, 0, places.gap].forEach(function (off) { add(x, y + off); add(x + off, y); });
        }
      }
    });
    return function (box) {
      let found = 0;
      for (let x = Math.round(box[0] / CELL); x <= Math.round(box[2] / CELL); x += 1) {
        for (let y = Math.round(box[1] / CELL); y <= Math.round(box[3] / CELL); y += 1) if (cells.has(x + ',' + y)) found += 1;
      }
      return found;
    };
  }

  // Where a name may stand beside its bus: [x, y, anchor], the better first.
  function spots(pane, drawing, places, at, size, busy) {
    const p = places.points[at], parts = pane.buses[at], half = pane.placed.long / 2, load = parts.load ? 3 : 0;
    const isLeaf = pane.placed.leaf[at];
    if (at === drawing.source) return [places.turned ? [p[0] + 12, p[1] - 6, 'start'] : [p[0] - 17, p[1] + 3.5, 'end']];
    if (places.turned) {
      if (isLeaf) return [[p[0], p[1] + parts.after + 7 + size, 'middle']];
      const beside_ = [[p[0] + half + (load ? 10 : 4), p[1] + 3.5, 'start'], [p[0] + half + (load ? 10 : 4), p[1] - 3, 'start']];
      return busy.has(at) ? beside_ : beside_.concat([[p[0] - half - 4, p[1] + 3.5, 'end']]);
    }
    if (isLeaf) return [[p[0] + parts.after + 7, p[1] + 3.6, 'start']];
    const above = [[p[0], p[1] - half - 3, 'middle'], [p[0] + 4, p[1] - half - 2, 'start'], [p[0] - 4, p[1] - half - 2, 'end']];
    const below = [[p[0], p[1] + half + size + load, 'middle'], [p[0] + 4, p[1] + half + size, 'start'], [p[0] - 4, p[1] + half + size, 'end']];
    return busy.has(at) ? below : above.concat(below);
  }

  // Names, the more telling first; one that would fall on another, or on links, is left out.
  feeder.label = function (pane, drawing, places, first, width, height) {
    const taken = [], size = places.pitch < 12 ? 9 : 10.5, cover = covered(drawing, places);
    const order = first.concat(drawing.buses.map(function (_, at) { return at; }));
    const done = new Set(), busy = new Set(drawing.devices.map(function (d) { return d.b; }));
    order.forEach(function (at) {
      if (done.has(at)) return;
      done.add(at);
      const text = pane.buses[at].label, wide = drawing.buses[at][0].length * size * 0.57, forced = first.indexOf(at) >= 0;
      let found = null, least = forced ? Infinity : 5;
      spots(pane, drawing, places, at, size, busy).forEach(function (spot, k) {
        const left = spot[2] === 'start' ? spot[0] : spot[2] === 'end' ? spot[0] - wide : spot[0] - wide / 2;
        const box = [left - 1, spot[1] - size + 2, left + wide + 1, spot[1]];
        if (left < 1 || left + wide > width - 1 || spot[1] > height - 1 || spot[1] < size) return;
        const clash = taken.filter(function (t) { return t[0] < box[2] && t[2] > box[0] && t[1] < box[3] && t[3] > box[1]; }).length;
        const cost = 20 * clash + cover(box) + 0.3 * k;
        if (cost < least) { least = cost; found = { spot: spot, box: box }; }
      });
      text.style.display = found ? '' : 'none';
      if (!found) return;
      taken.push(found.box);
      text.setAttribute('x', found.spot[0].toFixed(1));
      text.setAttribute('y', found.spot[1].toFixed(1));
      text.setAttribute('text-anchor', found.spot[2]);
      text.style.fontSize = size + 'px';
    });
  };
  feeder.DASHES = DASHES;
})();
