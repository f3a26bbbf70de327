// The page of a prediction: one slider moves the film with its 2D, two 3D figures that turn together, and the plots.
function showPrediction(data) {
  const COLOURS = [["#6fb1e8", "#1f6fb2", "#0b3a66"], ["#f0a07c", "#d9652f", "#8f3710"]];
  const OTHERS = "#ffffffb0", INK = "#1c2430", RULE = "#dfe3e8", FAINT = "#5b6675";
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const slider = byId("moment"), button = byId("play"), clock = byId("clock"), screen = byId("screen");
  const picture = screen.querySelector("image"), overlay = screen.querySelector("g");
  const choices = [byId("choice0"), byId("choice1")], views = [byId("view0"), byId("view1")];
  const last = data.times.length - 1;

  // Everybody who can be chosen: [run, person].
  const everybody = data.runs.flatMap((run, at) => run.people.map((person) => ({ run: at, name: run.name, ...person })));
  const label = (one) => "person " + one.id + (one.name ? " in " + one.name : "");
  const chosen = [everybody[0], everybody.find((one) => one.run === 1) || everybody[1] || null];

  choices.forEach((choice, at) => {
    if (at === 1) choice.add(new Option("nobody", "-1"));
    everybody.forEach((one, number) => choice.add(new Option(label(one), String(number))));
    choice.value = String(everybody.indexOf(chosen[at]));
    choice.style.borderColor = COLOURS[at][1];
    choice.addEventListener("change", () => {
      chosen[at] = everybody[Number(choice.value)] || null;
      drawPlots();
      show(Number(slider.value));
    });
  });

  // The film.
  function line(from, to, colour) {
    const drawn = document.createElementNS(SVG, "line");
    drawn.setAttribute("stroke", colour);
    [["x1", from[0]], ["y1", from[1]], ["x2", to[0]], ["y2", to[1]]].forEach(([name, value]) => drawn.setAttribute(name, value));
    overlay.appendChild(drawn);
  }
  function showFilm(moment) {
    if (data.images[moment]) picture.setAttribute("href", data.images[moment]);
    overlay.replaceChildren();
    data.runs[0].people.forEach((person) => {
      const places = person.keypoints && person.keypoints[moment];
      if (!places) return;
      const which = chosen.findIndex((one) => one && one.run === 0 && one.id === person.id);
      data.bones2d.forEach(([a, b, side]) => {
        if (places[a] && places[b]) line(places[a], places[b], which < 0 ? OTHERS : COLOURS[which][side]);
      });
    });
  }

  // 3D: right, forward and up in centimetres, seen from the camera's side and above; a parallel projection.
  let yaw = -0.5, pitch = 0.25;
  const poses = everybody.flatMap((one) => one.poses.filter(Boolean));
  const floor = poses.length ? Math.min(...poses.map((pose) => Math.min(...pose.map((joint) => joint[2])))) : -100;
  const reach = poses.length ? Math.max(70, ...poses.map((pose) => Math.max(...pose.map((joint) => Math.hypot(joint[0], joint[1], joint[2]))))) : 100;

  function project([x, y, z], size) {
    const across = x * Math.cos(yaw) - y * Math.sin(yaw), away = x * Math.sin(yaw) + y * Math.cos(yaw);
    const up = z * Math.cos(pitch) + away * Math.sin(pitch), scale = Math.min(size[0], size[1]) / (2.1 * reach);
    return [size[0] / 2 + across * scale, size[1] * 0.5 - up * scale, away * Math.cos(pitch) - z * Math.sin(pitch)];
  }
  function showFigure(view, which, moment) {
    const size = [view.clientWidth, view.clientHeight], sharp = window.devicePixelRatio || 1;
    view.width = size[0] * sharp; view.height = size[1] * sharp;
    const pen = view.getContext("2d");
    pen.scale(sharp, sharp);
    pen.lineCap = "round";
    const stroke = (from, to, colour, width) => {
      pen.strokeStyle = colour; pen.lineWidth = width;
      pen.beginPath(); pen.moveTo(from[0], from[1]); pen.lineTo(to[0], to[1]); pen.stroke();
    };
    for (let at = -100; at <= 100; at += 50) {
      stroke(project([at, -100, floor], size), project([at, 100, floor], size), RULE, 1);
      stroke(project([-100, at, floor], size), project([100, at, floor], size), RULE, 1);
    }
    const one = chosen[which], pose = one && one.poses[moment];
    if (!pose) {
      pen.fillStyle = FAINT; pen.font = "13px system-ui, sans-serif"; pen.textAlign = "center";
      pen.fillText(one ? "not in 3D at this moment" : "", size[0] / 2, size[1] / 2);
      return;
    }
    const joints = pose.map((joint) => project(joint, size));
    const bones = data.bones3d.filter(([a, b]) => joints[a] && joints[b]).map(([a, b, side]) => [joints[a], joints[b], side]);
    bones.sort((p, q) => q[0][2] + q[1][2] - p[0][2] - p[1][2]);  // the farthest first
    bones.forEach(([from, to, side]) => stroke(from, to, COLOURS[which][side], 6));
  }

  // Plots: a curve for each of the two, and a line at the moment.
  const WIDE = 300, HIGH = 130, LEFT = 30, BELOW = 16;
  const cursors = [];
  const first = data.times[0], span = Math.max(data.times[last] - first, 1e-6);
  const across = (time) => LEFT + (WIDE - LEFT - 4) * (time - first) / span;
  function element(parent, name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (text !== undefined) made.textContent = text;
    return parent.appendChild(made);
  }
  function drawPlots() {
    const place = byId("plots");
    place.replaceChildren();
    cursors.length = 0;
    data.angles.forEach((name, angle) => {
      const figure = document.createElement("figure"), title = document.createElement("h3");
      figure.className = "card";
      title.textContent = name;
      figure.appendChild(title);
      const values = chosen.flatMap((one) => (one ? one.curves.values[angle].filter((value) => value !== null) : []));
      const step = 30, low = values.length ? Math.floor(Math.min(...values) / step) * step : 0;
      const high = values.length ? Math.max(low + step, Math.ceil(Math.max(...values) / step) * step) : step;
      const down = (value) => 4 + (HIGH - BELOW - 4) * (high - value) / (high - low);
      const plot = element(figure, "svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": name + ", degrees over time", "font-size": 9, fill: FAINT });
      for (let value = low; value <= high; value += high - low > 120 ? 60 : step) {
        element(plot, "path", { d: `M${LEFT} ${down(value)}H${WIDE - 4}`, stroke: RULE });
        element(plot, "text", { x: LEFT - 4, y: down(value) + 3, "text-anchor": "end" }, value + "°");
      }
      [0, 0.5, 1].forEach((share) => element(plot, "text", { x: across(first + share * span), y: HIGH - 3, "text-anchor": share === 1 ? "end" : share ? "middle" : "start" }, (first + share * span).toFixed(1) + " s"));
      chosen.forEach((one, which) => {
        if (!one) return;
        let path = "", pen = "M";
        one.curves.times.forEach((time, at) => {
          const value = one.curves.values[angle][at];
          if (value === null) { pen = "M"; return; }
          path += pen + across(time).toFixed(1) + " " + down(value).toFixed(1);
          pen = "L";
        });
        element(plot, "path", { d: path, fill: "none", stroke: COLOURS[which][1], "stroke-width": 1.5 });
      });
      cursors.push(element(plot, "path", { stroke: INK, "stroke-width": 1, opacity: 0.5 }));
      plot.addEventListener("click", (event) => {
        const box = plot.getBoundingClientRect();
        const time = first + span * ((event.clientX - box.left) / box.width * WIDE - LEFT) / (WIDE - LEFT - 4);
        stop();
        show(data.times.reduce((best, other, at) => (Math.abs(other - time) < Math.abs(data.times[best] - time) ? at : best), 0));
      });
      place.appendChild(figure);
    });
  }

  function show(moment) {
    slider.value = moment;
    clock.textContent = data.times[moment].toFixed(2) + " s";
    showFilm(moment);
    views.forEach((view, which) => showFigure(view, which, moment));
    const x = across(data.times[moment]).toFixed(1);
    cursors.forEach((cursor) => cursor.setAttribute("d", `M${x} 4V${HIGH - BELOW}`));
  }

  // Plays in real time: after each drawing, the moment that is due by then.
  let playing = false, started = 0;
  function stop() { playing = false; button.textContent = "Play"; }
  function tick(now) {
    if (!playing) return;
    const due = first + (now - started) / 1000;
    if (due > data.times[last]) { started = now; show(0); }
    else {
      let moment = Number(slider.value);
      while (moment < last && data.times[moment + 1] <= due) moment++;
      if (moment !== Number(slider.value)) show(moment);
    }
    requestAnimationFrame(tick);
  }
  button.addEventListener("click", () => {
    if (playing) { stop(); return; }
    playing = true;
    button.textContent = "Pause";
    if (Number(slider.value) >= last) show(0);
    started = performance.now() - 1000 * (data.times[Number(slider.value)] - first);
    requestAnimationFrame(tick);
  });
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });

  views.forEach((view) => {
    let from = null;
    view.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY]; view.setPointerCapture(event.pointerId); });
    view.addEventListener("pointerup", () => { from = null; });
    view.addEventListener("pointermove", (event) => {
      if (!from) return;
      yaw += (event.clientX - from[0]) * 0.01;
      pitch = Math.max(-0.2, Math.min(1.5, pitch + (event.clientY - from[1]) * 0.01));
      from = [event.clientX, event.clientY];
      views.forEach((other, which) => showFigure(other, which, Number(slider.value)));
    });
  });
  addEventListener("resize", () => show(Number(slider.value)));
  drawPlots();
  show(0);
}
