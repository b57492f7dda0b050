const WIDTH = 960;
const HEIGHT = 720;
const COLOURS = { own: ["#243b44", "#d9a066", "#7a3e8f"], theirs: ["#3a2f4a", "#8a5a3c", "#0b6b62"] } as const;

/** A drawn person as a camera track, so that the video screens have something to show. */
export function drawnPicture(who: "own" | "theirs"): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d");
  const [track] = canvas.captureStream(5).getVideoTracks();
  if (context === null || track === undefined) throw new Error("this browser does not draw");
  const [room, skin, shirt] = COLOURS[who];
  const draw = () => {
    context.fillStyle = room;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = shirt;
    context.beginPath();
    context.ellipse(WIDTH / 2, HEIGHT + 40, 300, 280, 0, 0, Math.PI * 2);
    context.fill();
    context.fillStyle = skin;
    context.beginPath();
    context.arc(WIDTH / 2, HEIGHT / 2 - 40, 150, 0, Math.PI * 2);
    context.fill();
  };
  draw();
  setInterval(draw, 200);
  return track;
}
