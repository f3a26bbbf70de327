// Plays a clip: one slider moves the image with its 2D joints and both 3D figures, which also turn together.
function playTarget(clip) {
  const slider = document.getElementById("moment"), button = document.getElementById("play");
  const clock = document.getElementById("clock"), screen = document.getElementById("screen");
  const image = screen.querySelector("image"), overlay = screen.querySelector("g");
  const plots = clip.plots.map((id) => document.getElementById(id));
  const last = clip.times.length - 1;

  const bones = clip.bones.map((_, at) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    line.setAttribute("stroke", clip.colours[at]);
    return overlay.appendChild(line);
  });

  function show(moment) {
    slider.value = moment;
    clock.textContent = clip.times[moment].toFixed(2) + " s";
    if (clip.images[moment]) image.setAttribute("href", clip.images[moment]);
    image.style.visibility = clip.images[moment] ? "visible" : "hidden";
    clip.bones.forEach(([parent, child], at) => {
      const from = clip.keypoints[moment][parent], to = clip.keypoints[moment][child];
      bones[at].style.visibility = from && to ? "visible" : "hidden";
      if (!from || !to) return;
      bones[at].setAttribute("x1", from[0]); bones[at].setAttribute("y1", from[1]);
      bones[at].setAttribute("x2", to[0]); bones[at].setAttribute("y2", to[1]);
    });
    plots.forEach((plot, which) => {
      const pose = clip.poses[which][moment];
      const axis = (a) => clip.lines.map((line) => line.map((joint) => (joint === null ? null : pose[joint][a])));
      Plotly.restyle(plot, { x: axis(0), y: axis(1), z: axis(2) });
    });
  }

  // Plays in real time: after each drawing, the moment that is due by then.
  let playing = false, started = 0;
  function tick(now) {
    if (!playing) return;
    const due = clip.times[0] + (now - started) / 1000;
    if (due > clip.times[last]) { started = now; show(0); }
    else {
      let moment = Number(slider.value);
      while (moment < last && clip.times[moment + 1] <= due) moment++;
      if (moment !== Number(slider.value)) show(moment);
    }
    requestAnimationFrame(tick);
  }
  button.addEventListener("click", () => {
    playing = !playing;
    button.textContent = playing ? "Pause" : "Play";
    if (Number(slider.value) >= last) show(0);
    started = performance.now() - 1000 * (clip.times[Number(slider.value)] - clip.times[0]);
    if (playing) requestAnimationFrame(tick);
  });
  slider.addEventListener("input", () => {
    playing = false;
    button.textContent = "Play";
    show(Number(slider.value));
  });

  let turning = false;
  plots.forEach((plot, which) => {
    const follow = (change) => {
      const camera = change["scene.camera"];
      if (!camera || turning) return;
      turning = true;
      Promise.resolve(Plotly.relayout(plots[1 - which], { "scene.camera": camera })).finally(() => { turning = false; });
    };
    plot.on("plotly_relayouting", follow);
    plot.on("plotly_relayout", follow);
  });
  show(0);
}
