// Plots follow the width of their place, also where it changes without the window (a turned phone, a print).
document.addEventListener("DOMContentLoaded", () => {
  const fitting = new ResizeObserver((places) => {
    for (const place of places) {
      const plot = place.target.querySelector(".js-plotly-plot");
      if (plot && place.contentRect.width > 0) Plotly.Plots.resize(plot);
    }
  });
  document.querySelectorAll(".plot").forEach((place) => fitting.observe(place));

  // On a touch screen a finger on a flat plot scrolls the page, and does not zoom the plot.
  if (!matchMedia("(pointer: coarse)").matches) return;
  document.querySelectorAll(".js-plotly-plot").forEach((plot) => {
    if (!plot.layout.scene) Plotly.relayout(plot, { dragmode: false });
  });
});
