/** Pictures drawn by the page itself, each into a square of so many pixels. */
import { uniforms } from "../../../examples/support/random.ts";

type Draw = (context: CanvasRenderingContext2D, side: number) => void;

function sky(context: CanvasRenderingContext2D, side: number, top: string, bottom: string): void {
  const fade = context.createLinearGradient(0, 0, 0, side);
  fade.addColorStop(0, top);
  fade.addColorStop(1, bottom);
  context.fillStyle = fade;
  context.fillRect(0, 0, side, side);
}

const polygon = (
  context: CanvasRenderingContext2D,
  side: number,
  fill: string,
  ...points: [number, number][]
): void => {
  context.fillStyle = fill;
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x * side, y * side);
  context.fill();
};

const disc = (context: CanvasRenderingContext2D, fill: string, x: number, y: number, r: number): void => {
  context.fillStyle = fill;
  context.beginPath();
  context.arc(x, y, r, 0, 7);
  context.fill();
};

export const PICTURES: Readonly<Record<string, Draw>> = {
  boat(context, side) {
    sky(context, side, "#2c4f8c", "#f2b78a");
    disc(context, "#ffe7a8", 0.7 * side, 0.36 * side, 0.09 * side);
    polygon(context, side, "#1d4a5e", [0, 0.62], [1, 0.62], [1, 1], [0, 1]);
    polygon(context, side, "#3d6f80", [0.6, 0.62], [0.8, 0.62], [0.92, 1], [0.5, 1]);
    polygon(context, side, "#f5f0e4", [0.36, 0.16], [0.36, 0.62], [0.62, 0.62]);
    polygon(context, side, "#d8cfb8", [0.33, 0.24], [0.33, 0.62], [0.16, 0.62]);
    polygon(context, side, "#5a2d1c", [0.1, 0.66], [0.68, 0.66], [0.58, 0.78], [0.2, 0.78]);
  },
  hills(context, side) {
    sky(context, side, "#7db4e0", "#f6ead0");
    for (const [k, fill] of ["#8fae6a", "#5f8d4e", "#39643c"].entries()) {
      context.fillStyle = fill;
      context.beginPath();
      context.moveTo(0, side);
      for (let x = 0; x <= side; x++)
        context.lineTo(x, side * (0.5 + 0.15 * k + 0.09 * Math.sin((x / side) * 6 + 2.1 * k)));
      context.lineTo(side, side);
      context.fill();
    }
    disc(context, "#e8573f", 0.24 * side, 0.22 * side, 0.1 * side);
  },
  waves(context, side) {
    sky(context, side, "#0f2b5b", "#16406f");
    const colours = ["#f3d36b", "#3f7fc4", "#e9f0f7", "#1b2f66", "#7fb2dd"];
    context.lineWidth = side / 34;
    for (let k = 0; k < 34; k++) {
      context.strokeStyle = colours[k % colours.length] as string;
      context.beginPath();
      for (let x = -4; x <= side + 4; x += 2)
        context.lineTo(
          x,
          (k / 32) * side + (side / 16) * Math.sin(x / (side / 13) + k * 0.55) + (side / 40) * Math.sin(x / 5 + k),
        );
      context.stroke();
    }
  },
  tiles(context, side) {
    const random = uniforms(5);
    const colours = ["#d9402b", "#f2c230", "#22489c", "#f6f2e6", "#f6f2e6", "#151515"];
    const step = side / 12;
    for (let y = 0; y < 12; y++) {
      for (let x = 0; x < 12; x++) {
        context.fillStyle = colours[Math.floor(random() * colours.length)] as string;
        context.fillRect(x * step, y * step, step, step);
        context.strokeStyle = "#151515";
        context.lineWidth = 2;
        context.strokeRect(x * step, y * step, step, step);
      }
    }
  },
  dots(context, side) {
    sky(context, side, "#f7efdd", "#efe0c2");
    const random = uniforms(9);
    const colours = ["#d9573b", "#e8a13a", "#3f7a6d", "#2c4a7a", "#a8485e", "#f2d9a0"];
    for (let k = 0; k < 1100; k++)
      disc(
        context,
        colours[Math.floor(random() * colours.length)] as string,
        random() * side,
        random() * side,
        side / 70 + (random() * side) / 60,
      );
  },
};
