"use strict";
(() => {
  const { figures, images } = JSON.parse(document.getElementById("page-data").textContent);
  const card = document.getElementById("card");
  const thumbnail = document.getElementById("card-thumbnail");
  const noThumbnail = document.getElementById("card-no-thumbnail");
  const narrow = window.matchMedia("screen and (max-width: 720px)");

  const config = (name) => ({
    displaylogo: false,
    typesetMath: false, // a label may hold two dollar signs
    responsive: true,
    // Named one by one: plotly's own choice has a button that uploads the plot to its makers.
    modeBarButtons: [
      name === "first-three"
        ? ["toImage", "orbitRotation", "pan3d", "resetCameraDefault3d"]
        : ["toImage", "zoom2d", "pan2d", "resetScale2d"],
    ],
    toImageButtonOptions: { filename: name },
    showSendToCloud: false,
    plotlyServerURL: "",
  });

  // Beside the plot a legend takes half of a telephone's screen, so there it goes below.
  const withLegendBelow = (layout, nLabels) => {
    const axis = layout.scene ? 8 : 64; // px: the ticks and the title of the x axis
    const legendHeight = Math.min(130, 28 + 20 * Math.ceil(nLabels / 2));
    const plotHeight = 340;
    const legend = { ...layout.legend, orientation: "h", xref: "paper", x: 0, xanchor: "left" };
    Object.assign(legend, { y: -axis / plotHeight, yanchor: "top", maxheight: legendHeight });
    if (layout.scene) {
      const { eye } = layout.scene.camera;
      for (const axisName of "xyz") eye[axisName] *= 1.45; // the width is what is scarce
    }
    const margin = { ...layout.margin, r: 8, b: axis + legendHeight };
    return { ...layout, height: plotHeight + layout.margin.t + margin.b, legend, margin };
  };

  const layoutOf = (name) => {
    const layout = structuredClone(figures[name].layout);
    if (!narrow.matches) return layout;
    if (!layout.scene) layout.dragmode = false; // a finger that scrolls the page would zoom
    return layout.showlegend ? withLegendBelow(layout, figures[name].data.length) : layout;
  };

  const place = (x, y) => {
    const gap = 16;
    const { width, height } = card.getBoundingClientRect();
    const top = y + gap + height > window.innerHeight ? y - gap - height : y + gap;
    card.style.left = `${Math.min(x + gap, window.innerWidth - width - 4)}px`;
    card.style.top = `${Math.max(4, top)}px`;
  };

  const show = (image, x, y) => {
    thumbnail.hidden = image.thumbnail === null;
    noThumbnail.hidden = image.thumbnail !== null;
    if (image.thumbnail === null) thumbnail.removeAttribute("src");
    else thumbnail.src = image.thumbnail;
    thumbnail.alt = image.path;
    document.getElementById("card-label").textContent = image.label;
    document.getElementById("card-path").textContent = image.path;
    card.hidden = false;
    place(x, y);
  };

  const hide = () => {
    card.hidden = true;
  };

  const showOnHover = (plot) => {
    // Hover events of a 3D plot come from its drawing loop and carry no pointer.
    let x = 0;
    let y = 0;
    const remember = (event) => {
      x = event.clientX;
      y = event.clientY;
      if (!card.hidden) place(x, y);
    };
    plot.addEventListener("pointermove", remember, true);
    plot.addEventListener("pointerdown", remember, true);
    const shown = (event) => show(images[event.points[0].customdata], x, y);
    plot.on("plotly_hover", shown);
    plot.on("plotly_click", shown); // a finger does not hover
    plot.on("plotly_unhover", hide);
    plot.on("plotly_relayouting", hide);
  };

  const draw = (plot) => {
    const name = plot.dataset.figure;
    const { height, ...layout } = layoutOf(name);
    // Plotly forgets a height of its own when it is resized while it draws; it fills its element.
    plot.style.height = `${height}px`;
    return Plotly.react(plot, figures[name].data, { ...layout, autosize: true }, config(name));
  };

  const plots = [...document.querySelectorAll("[data-figure]")];
  const fitToPaper = (width) => plots.forEach((plot) => Plotly.relayout(plot, { width }));

  window.addEventListener("beforeprint", () => fitToPaper(680));
  window.addEventListener("afterprint", () => fitToPaper(null));
  window.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  narrow.addEventListener("change", () => plots.forEach(draw));

  Promise.all(plots.map(draw)).then(() => {
    plots.filter((plot) => plot.dataset.figure.startsWith("first-")).forEach(showOnHover);
    document.body.dataset.drawn = String(plots.length);
  });
})();
