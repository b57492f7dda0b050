/** The tracks that were opened for one call: stopped when it is over, so that the browser's recording sign goes out. */
export class OwnedTracks {
  readonly #tracks = new Set<MediaStreamTrack>();
  readonly #onLost: (kind: string) => void;

  /** `onLost` is told when a device goes away by itself. */
  constructor(tracks: readonly MediaStreamTrack[], onLost: (kind: string) => void) {
    this.#onLost = onLost;
    for (const track of tracks) this.add(track);
  }

  add(track: MediaStreamTrack): void {
    this.#tracks.add(track);
    track.addEventListener("ended", () => {
      if (this.#tracks.has(track)) this.#onLost(track.kind);
    });
  }

  stop(track: MediaStreamTrack): void {
    this.#tracks.delete(track);
    track.stop();
  }

  stopAll(): void {
    for (const track of this.#tracks) this.stop(track);
  }
}
