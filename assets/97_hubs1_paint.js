// The network as hubs load it, painted for an hour: lines by their loading, hubs by what they draw, the day below.
(function () {
  'use strict';
  const hubs = (window.headroomHubs = window.headroomHubs || {});
  const SCALE = { ramp: 'magnitude', low: 0, high: 100 };
  const NAMED = 8, MARKED = 8, CROWD = 12, OVER = 100.05; // %
  const BARS_PX = 46, LEAST_PX = 14, HUBS_PX = 44; // of bars: their top, the least of one, the hubs below
  let scene = null;

  function feeder() { return window.headroomFeeder; }
  function make(tag, attributes, parent) { return feeder().make(tag, attributes, parent); }
  function unpacked(told) {
    const bytes = Uint8Array.from(window.atob(told.b), function (c) { return c.charCodeAt(0); });
    const whole = new Int16Array(bytes.buffer);
    return told.o.map(function (offset, hour) {
      return Array.from({ length: told.k }, function (_, at) {
        const value = whole[hour * told.k + at];
        return value === -32768 ? NaN : offset + told.s[hour] * value;
      });
    });
  }
  function written(value, digits) { return feeder().written(value, digits); }

  // What a drawing holds, unpacked once.
  function opened(drawing) {
    const outcomes = {};
    let most = 1e-6;
    Object.keys(drawing.outcomes).forEach(function (key) {
      const told = drawing.outcomes[key];
      outcomes[key] = { words: told.words, loading: unpacked(told.loading), draw: unpacked(told.draw), sub: told.sub, beyond: told.beyond };
    });
    const at = {}; // by bus: its hubs
    drawing.hubs.forEach(function (hub, place) { (at[hub[1]] = at[hub[1]] || []).push(place); });
    Object.keys(outcomes).forEach(function (key) {
      outcomes[key].draw.forEach(function (row) {
        Object.values(at).forEach(function (own) { most = Math.max(most, Math.abs(sum(row, own))); });
      });
    });
    return { drawing: drawing, outcomes: outcomes, at: at, most: most };
  }
  function sum(row, own) { return own.reduce(function (all, place) { return all + row[place]; }, 0); }

  function keys(held, show, outcome) {
    const after = held.outcomes[outcome] ? outcome : 'quick-quadratic';
    const same = 'none-' + (after.endsWith('-linear') ? 'linear' : 'quadratic'), before = held.outcomes[same] ? same : 'none-quadratic';
    return show === 'both' ? [before, after] : [show === 'before' ? before : after];
  }

  // One pane -----------------------------------------------------------------------------------------------
  function pane(held, key, parent) {
    const box = document.createElement('div'), head = document.createElement('p');
    box.className = 'hr-feeder-pane';
    head.className = 'hr-feeder-pane-title';
    box.appendChild(head);
    parent.appendChild(box);
    const svg = make('svg', { class: 'hr-feeder-svg hr-hubs-svg', 'aria-hidden': 'true' }, box);
    return { key: key, box: box, head: head, svg: svg };
  }
  function course(places, from, to) {
    const a = places.points[from], b = places.points[to];
    if (places.own) return [a, b];
    const main = places.turned ? 1 : 0, other = 1 - main;
    if (Math.abs(a[other] - b[other]) < 0.5) return [a, b];
    const along = b[main] - a[main], knee = [0, 0];
    knee[main] = a[main] + Math.min(Math.max(14, Math.abs(a[other] - b[other]) * 0.18), Math.abs(along) * 0.75) * Math.sign(along || 1);
    knee[other] = b[other];
    return [a, knee, b];
  }
  function path(line) { return line.map(function (p, at) { return (at ? 'L' : 'M') + p[0].toFixed(1) + ' ' + p[1].toFixed(1); }).join(''); }
  function shade(value, theme) { return isFinite(value) ? feeder().colour(SCALE, theme, Math.min(value, 100)) : null; }
  function titled(node, words) { make('title', {}, node).textContent = words; return node; }
  function text(parent, kind, x, y, words, anchor) {
    const node = make('text', { class: kind, x: x.toFixed(1), y: y.toFixed(1), 'text-anchor': anchor || 'middle' }, parent);
    node.textContent = words;
    return node;
  }
  function percent(value) { return written(value, value > 100 && value < 110 ? 1 : 0) + ' %'; }
  function chosen(kind, name) { return scene.asked.selection === kind + ':' + name; }

  function draw(one, width, height) {
    const held = scene.held, told = held.outcomes[one.key], hour = scene.asked.hour;
    one.head.textContent = told.words.charAt(0).toUpperCase() + told.words.slice(1) + ': ' + written(told.beyond[hour], 2) + ' MW beyond limits now';
    one.head.classList.toggle('hr-hubs-over', told.beyond[hour] > 5e-4);
    one.svg.setAttribute('viewBox', '0 0 ' + width.toFixed(0) + ' ' + height.toFixed(0));
    one.svg.replaceChildren();
    if (held.drawing.bars) drawBars(one, told, width, height); else drawNetwork(one, told, width, height);
  }

  function drawNetwork(one, told, width, height) {
    const held = scene.held, drawing = held.drawing, asked = scene.asked, hour = asked.hour;
    const places = feeder().places(drawing, width, height, { k: 1, x: 0, y: 0 });
    const layer = {};
    one.svg.classList.toggle('hr-hubs-crowd', Object.keys(held.at).length > CROWD);
    ['lines', 'buses', 'hubs', 'labels', 'touch'].forEach(function (word) { layer[word] = make('g', {}, one.svg); });
    const over = [];
    drawing.links.forEach(function (link) {
      const line = course(places, link[1], link[2]), d = path(line), row = link[3];
      const loading = row < 0 ? NaN : told.loading[hour][row], beyond = loading > OVER;
      if (chosen('line', link[0])) make('path', { d: d, class: 'hr-hubs-way' }, layer.lines);
      const stroke = make('path', { d: d, class: 'hr-hubs-line' + (row < 0 ? ' hr-hubs-free' : '') + (beyond ? ' hr-hubs-beyond' : '') }, layer.lines);
      if (row >= 0 && !beyond) stroke.style.stroke = shade(loading, asked.theme);
      if (beyond) over.push([loading, line]);
      if (row >= 0) titled(make('path', { d: d, class: 'hr-feeder-touch', 'data-hubs-select': 'line:' + link[0] }, layer.touch), 'Line ' + link[0] + ': ' + written(loading, 0) + ' % of ' + written(drawing.limits[row], 2) + ' MW');
    });
    drawing.buses.forEach(function (_, at) { make('circle', { cx: places.points[at][0].toFixed(1), cy: places.points[at][1].toFixed(1), r: 2, class: 'hr-hubs-bus' }, layer.buses); });
    const marked = [], signs = boxes(places);
    over.sort(function (a, b) { return b[0] - a[0]; }).slice(0, MARKED).forEach(function (each) {
      const line = each[1], a = line[line.length - 2], b = line[line.length - 1], x = (a[0] + b[0]) / 2, y = (a[1] + b[1]) / 2;
      const spot = [y - 8, y + 18].find(function (base) { return fits(marked.concat(signs), [x - 20, base - 12, x + 20, base + 4]); });
      if (spot === undefined) return;
      marked.push([x - 20, spot - 12, x + 20, spot + 4]);
      text(layer.labels, 'hr-hubs-label hr-hubs-mark', x, spot, percent(each[0]));
    });
    substation(layer, places, told, hour);
    stand(layer, places, told, hour, signs.concat(marked));
  }

  // The substation: its sign filled like a line by its loading, what it imports and may import beside it.
  function substation(layer, places, told, hour) {
    const drawing = scene.held.drawing, p = places.points[drawing.source], loading = told.loading[hour][drawing.names.length];
    const beyond = loading > OVER;
    const sign = make('rect', { x: (p[0] - 9).toFixed(1), y: (p[1] - 13).toFixed(1), width: 18, height: 26, rx: 3, class: 'hr-hubs-source' + (beyond ? ' hr-hubs-beyond' : '') }, layer.buses);
    if (!beyond && isFinite(loading)) sign.style.fill = shade(loading, scene.asked.theme);
    const mine = chosen('line', 'substation');
    if (mine) sign.classList.add('hr-hubs-chosen');
    titled(make('rect', { x: (p[0] - 14).toFixed(1), y: (p[1] - 18).toFixed(1), width: 28, height: 36, class: 'hr-hubs-touch', 'data-hubs-select': 'line:substation' }, layer.touch), 'Substation: ' + written(told.sub[hour], 3) + ' MW' + (isFinite(loading) ? ', ' + written(loading, 0) + ' % of its limit' : ''));
    const limit = drawing.substation, left = !places.turned && !drawing.own;
    const words = written(told.sub[hour], 2) + (limit === null ? ' MW' : ' of ' + written(limit, 2) + ' MW');
    const x = left ? Math.max(4, p[0] - 44) : p[0] + 16, y = left ? p[1] - 22 : p[1] - 2;
    text(layer.labels, 'hr-hubs-label' + (beyond ? ' hr-hubs-mark' : ''), x, y, words, 'start');
    text(layer.labels, 'hr-hubs-label', x, left ? p[1] + 30 : y + 14, beyond ? 'substation: ' + written(loading, 0) + ' %' : 'substation', 'start');
  }

  // Where the two lines of a name would be, and whether they are in the pane and on nothing else.
  function box(spot, long) {
    const left = spot[2] === 'start' ? spot[0] : spot[2] === 'end' ? spot[0] - long : spot[0] - long / 2;
    return [left, spot[1] - 11, left + long, spot[1] + 15];
  }
  function fits(taken, one) {
    return one[0] > 2 && one[2] < scene.width - 2 && one[1] > 26 && taken.every(function (t) { return one[2] < t[0] || one[0] > t[2] || one[3] < t[1] || one[1] > t[3]; });
  }

  // Hubs stand above their bus on a stem; the level is what they draw, of the most that any draws.
  function size(buses) { return buses.length > 3 * CROWD ? 3.5 : buses.length > CROWD ? 5 : 8; }
  function named(drawing) {
    const place = {};
    drawing.buses.forEach(function (bus, at) { place[bus[0]] = at; });
    return place;
  }
  function boxes(places) {
    const buses = Object.keys(scene.held.at), half = size(buses), lift = 2.5 * half, place = named(scene.held.drawing);
    return buses.map(function (bus) { const p = places.points[place[bus]]; return [p[0] - half - 1, p[1] - lift - half - 1, p[0] + half + 1, p[1] - lift + half + 1]; });
  }
  function stand(layer, places, told, hour, taken) {
    const held = scene.held, drawing = held.drawing, buses = Object.keys(held.at);
    const half = size(buses), lift = 2.5 * half, place = named(drawing);
    buses.forEach(function (bus) {
      const own = held.at[bus], p = places.points[place[bus]], mw = sum(told.draw[hour], own);
      const x = p[0], y = p[1] - lift, share = Math.min(1, Math.abs(mw) / held.most);
      const name = own.length > 1 ? own.length + ' hubs' : drawing.hubs[own[0]][0];
      make('path', { d: 'M' + x + ' ' + p[1] + 'V' + (y + half), class: 'hr-feeder-stem' }, layer.hubs);
      make('rect', { x: x - half, y: y - half, width: 2 * half, height: 2 * half, rx: 3, class: 'hr-hubs-hub' }, layer.hubs);
      make('rect', { x: x - half, y: y + half - 2 * half * share, width: 2 * half, height: 2 * half * share, class: mw < 0 ? 'hr-hubs-level hr-hubs-gives' : 'hr-hubs-level' }, layer.hubs);
      const mine = own.some(function (at) { return chosen('hub', drawing.hubs[at][0]); });
      make('rect', { x: x - half, y: y - half, width: 2 * half, height: 2 * half, rx: 3, class: 'hr-hubs-edge' + (mine ? ' hr-hubs-chosen' : '') }, layer.hubs);
      titled(make('rect', { x: x - half - 5, y: y - half - 5, width: 2 * half + 10, height: 2 * half + 10, class: 'hr-hubs-touch', 'data-hubs-select': 'hub:' + drawing.hubs[own[0]][0] }, layer.touch), name + ' at bus ' + bus + ': ' + written(mw, 3) + ' MW');
      if (buses.length > NAMED && !mine) return;
      const long = 6.4 * Math.max(name.length, 8), spots = [[x + half + 4, y - 2, 'start'], [x - half - 4, y - 2, 'end'], [x, y - half - 18, 'middle'], [x, y + half + 30, 'middle']];
      const free = spots.find(function (spot) { return fits(taken, box(spot, long)); }) || spots[0];
      taken.push(box(free, long));
      text(layer.labels, 'hr-hubs-label hr-hubs-name', free[0], free[1], name, free[2]);
      text(layer.labels, 'hr-hubs-label', free[0], free[1] + 12, written(mw, 2) + ' MW', free[2]);
    });
  }

  // A network that is no feeder of the library: a bar for each line, its limit a stroke across, and the hubs below. Where
  // there is no room for all, those that are loaded most over the day; the substation always.
  function drawBars(one, told, width, height) {
    const drawing = scene.held.drawing, hour = scene.asked.hour, touch = make('g', {}), words = make('g', {});
    const shown = drawing.hubs.length <= CROWD && height > 140, bottom = height - (shown ? HUBS_PX : 4);
    const most = Math.max(1, Math.floor((bottom - BARS_PX) / LEAST_PX)), lines = drawing.bars.slice(0, Math.max(0, most - 1));
    const rows = lines.concat([drawing.names.length]).filter(function (row) { return isFinite(told.loading[hour][row]); });
    const step = Math.max(LEAST_PX, Math.min(26, (bottom - BARS_PX) / rows.length)), longest = Math.max.apply(null, rows.map(function (row) { return barName(row).length; }));
    const left = Math.min(0.36 * width, 6.2 * longest + 16), letters = Math.floor((left - 14) / 6), room = width - left - 52;
    const far = farthest(), scale = function (value) { return left + room * Math.min(value, far) / far; };
    rows.forEach(function (row, at) {
      const y = BARS_PX + at * step, loading = told.loading[hour][row], beyond = loading > OVER, name = barName(row);
      const bar = make('rect', { x: left, y: (y + 2).toFixed(1), width: Math.max(1, scale(loading) - left).toFixed(1), height: (step - 4).toFixed(1), class: 'hr-hubs-bar' + (beyond ? ' hr-hubs-beyond' : '') }, one.svg);
      if (!beyond) bar.style.fill = shade(loading, scene.asked.theme);
      const mid = y + step / 2 + 4, told_ = name.length > letters ? name.slice(0, letters - 1) + '\u2026' : name;
      text(words, 'hr-hubs-label' + (chosen('line', name) ? ' hr-hubs-name' : ''), left - 6, mid, told_, 'end');
      text(words, 'hr-hubs-label' + (beyond ? ' hr-hubs-mark' : ''), scale(loading) + 5, mid, percent(loading), 'start');
      titled(make('rect', { x: 0, y: y.toFixed(1), width: width, height: step.toFixed(1), class: 'hr-hubs-touch', 'data-hubs-select': 'line:' + name }, touch), row < drawing.names.length ? 'Line ' + name + ': ' + written(loading, 0) + ' % of ' + written(drawing.limits[row], 2) + ' MW' : 'Substation: ' + written(told.sub[hour], 3) + ' MW, ' + written(loading, 0) + ' % of its limit');
    });
    make('path', { d: 'M' + scale(100).toFixed(1) + ' ' + (BARS_PX - 3) + 'V' + (BARS_PX + rows.length * step).toFixed(1), class: 'hr-hubs-limit' }, one.svg);
    text(one.svg, 'hr-hubs-label', scale(100), BARS_PX - 7, 'limit');
    const more = drawing.names.length - lines.length;
    if (more > 0) text(one.svg, 'hr-hubs-label', width - 4, BARS_PX - 7, 'and ' + more + ' more: see Network', 'end');
    one.svg.append(words, touch); // names and numbers stand on the stroke
    if (shown) row(one, told, width, bottom);
  }
  function barName(row) { return row < scene.held.drawing.names.length ? scene.held.drawing.names[row] : 'substation'; }
  // How far bars reach, %: the most of any hour and outcome, within reason.
  function farthest() {
    const held = scene.held;
    if (!held.far) {
      held.far = 120;
      Object.keys(held.outcomes).forEach(function (key) {
        held.outcomes[key].loading.forEach(function (hour) { hour.forEach(function (value) { if (isFinite(value)) held.far = Math.max(held.far, value); }); });
      });
      held.far = Math.min(held.far, 300);
    }
    return held.far;
  }
  // The hubs side by side: the level is what each draws, of the most that any draws.
  function row(one, told, width, top) {
    const held = scene.held, drawing = held.drawing, wide = width / drawing.hubs.length, half = 8, y = top + 14;
    drawing.hubs.forEach(function (hub, place) {
      const mw = told.draw[scene.asked.hour][place], share = Math.min(1, Math.abs(mw) / held.most), x = (place + 0.5) * wide, mine = chosen('hub', hub[0]);
      const letters = Math.max(3, Math.floor((wide - 6) / 6)), name = hub[0].length > letters ? hub[0].slice(0, letters - 1) + '\u2026' : hub[0];
      make('rect', { x: x - half, y: y - half, width: 2 * half, height: 2 * half, rx: 3, class: 'hr-hubs-hub' }, one.svg);
      make('rect', { x: x - half, y: y + half - 2 * half * share, width: 2 * half, height: 2 * half * share, class: mw < 0 ? 'hr-hubs-level hr-hubs-gives' : 'hr-hubs-level' }, one.svg);
      make('rect', { x: x - half, y: y - half, width: 2 * half, height: 2 * half, rx: 3, class: 'hr-hubs-edge' + (mine ? ' hr-hubs-chosen' : '') }, one.svg);
      text(one.svg, 'hr-hubs-label' + (mine ? ' hr-hubs-name' : ''), x, y + half + 13, name);
      titled(make('rect', { x: x - wide / 2, y: y - half - 4, width: wide, height: 40, class: 'hr-hubs-touch', 'data-hubs-select': 'hub:' + hub[0] }, one.svg), hub[0] + ' at bus ' + hub[1] + ': ' + written(mw, 3) + ' MW');
    });
  }

  // The day: MW beyond limits by hour, without prices as an outline, with them filled; a press goes to the hour.
  function day() {
    const held = scene.held, holder = scene.frame.querySelector('[data-hubs-day]');
    const width = holder.clientWidth || 300, high = 40, labels = held.drawing.labels, both = keys(held, 'both', scene.asked.outcome);
    const left = 10, wide = (width - 2 * left) / labels.length;
    const most = highest(both);
    const svg = make('svg', { width: width, height: 58, 'aria-hidden': 'true' });
    holder.replaceChildren(svg);
    make('rect', { x: left + scene.asked.hour * wide, y: 0, width: wide, height: 58, class: 'hr-feeder-cursor' }, svg);
    labels.forEach(function (label, hour) {
      const was = held.outcomes[both[0]].beyond[hour] / most, now = held.outcomes[both[1]].beyond[hour] / most;
      const x = left + hour * wide;
      if (was > 1e-3) make('rect', { x: x + wide * 0.12, y: 4 + high * (1 - was), width: wide * 0.76, height: high * was, class: 'hr-hubs-was' }, svg);
      if (now > 1e-3) make('rect', { x: x + wide * 0.26, y: 4 + high * (1 - now), width: wide * 0.48, height: high * now, class: 'hr-hubs-now' }, svg);
      if (hour % Math.max(1, Math.ceil(labels.length / 8)) === 0) text(svg, 'hr-feeder-hour', x + 1, 56, label, 'start');
    });
    make('path', { d: 'M' + left + ' ' + (4 + high) + 'H' + (width - left), class: 'hr-hubs-axis' }, svg);
  }

  // The most MW beyond limits in any hour of outcomes.
  function highest(both) {
    return Math.max.apply(null, both.map(function (key) { return Math.max.apply(null, scene.held.outcomes[key].beyond); }).concat([1e-6]));
  }
  function legend() {
    const holder = scene.frame.querySelector('[data-hubs-legend]'), ramp = feeder().ramp(SCALE, scene.asked.theme);
    const both = keys(scene.held, 'both', scene.asked.outcome), most = [0, 1].map(function (at) { return written(highest([both[at]]), 2); });
    holder.innerHTML =
      '<span class="hr-hubs-key"><i style="background:linear-gradient(90deg,' + ramp.join(',') + ')" class="hr-hubs-ramp"></i>loading 0 to 100 %</span>' +
      '<span class="hr-hubs-key"><i class="hr-hubs-key-over"></i>beyond its limit</span>' +
      (scene.held.drawing.bars && scene.held.drawing.hubs.length > CROWD ? '' : '<span class="hr-hubs-key"><i class="hr-hubs-key-hub"></i>hub, by its draw</span>') +
      '<span class="hr-hubs-key"><i class="hr-hubs-key-was"></i>hours without prices, to ' + most[0] + ' MW</span>' +
      '<span class="hr-hubs-key"><i class="hr-hubs-key-now"></i>with prices, to ' + most[1] + ' MW</span>';
  }

  function lay() {
    const holder = scene.host.querySelector('[data-hubs-panes]'), box = holder.getBoundingClientRect();
    if (!box.width || !box.height) return;
    holder.classList.toggle('hr-feeder-beside', scene.panes.length > 1 && box.width > 2.6 * box.height);
    scene.panes.forEach(function (one) {
      const size = one.box.getBoundingClientRect();
      scene.width = size.width;
      draw(one, size.width, size.height);
    });
    day();
    legend();
  }

  // Called when anything that is looked at changes; draws when the place is there and has a size.
  hubs.paint = function (drawing, hour, show, outcome, selection, theme) {
    const host = document.querySelector('[data-hubs-diagram]');
    if (!host || !feeder()) return;
    const frame = host.closest('[data-hubs-frame]');
    if (!drawing || !drawing.outcomes) return;
    if (!scene || scene.host !== host) {
      if (scene) scene.sizes.disconnect();
      scene = { host: host, frame: frame, sizes: new ResizeObserver(function () { if (scene && scene.panes) lay(); }) };
      scene.sizes.observe(host);
    }
    if (!scene.held || scene.held.drawing.key !== drawing.key) { scene.held = opened(drawing); scene.shown = ''; }
    const at = Math.max(0, Math.min(drawing.labels.length - 1, Number(hour) || 0));
    scene.asked = { hour: at, outcome: outcome, selection: String(selection || ''), theme: theme === 'dark' ? 'dark' : 'light' };
    const wanted = keys(scene.held, show, outcome);
    if (scene.shown !== wanted.join()) {
      const holder = host.querySelector('[data-hubs-panes]');
      holder.replaceChildren();
      scene.panes = wanted.map(function (key) { return pane(scene.held, key, holder); });
      scene.shown = wanted.join();
    }
    lay();
    frame.setAttribute('data-drawn', '');
  };
  hubs.hourAt = function (event) { // of a press on the day's strip, null beside it
    const strip = event.target.closest && event.target.closest('[data-hubs-day]');
    if (!strip || !scene || !scene.held) return null;
    const box = strip.getBoundingClientRect(), count = scene.held.drawing.labels.length;
    return Math.max(0, Math.min(count - 1, Math.floor((event.clientX - box.left - 10) / ((box.width - 20) / count))));
  };
})();
