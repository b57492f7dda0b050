/** Where tracks become sound and picture. */
import { useLayoutEffect, useRef } from "preact/hooks";

interface SinkProps {
  readonly track: MediaStreamTrack | null;
}

function useTrack(ref: { readonly current: HTMLMediaElement | null }, track: MediaStreamTrack | null): void {
  useLayoutEffect(() => {
    const element = ref.current;
    if (element) element.srcObject = track ? new MediaStream([track]) : null;
  }, [track]);
}

/** Plays the other side's voice. Always there during a call, silent until there is a track. */
export function RemoteAudio({ track }: SinkProps) {
  const ref = useRef<HTMLAudioElement>(null);
  useTrack(ref, track);
  return <audio ref={ref} autoplay data-testid="remote-audio" />;
}

/** Shows the other side's picture. Its sound goes through {@link RemoteAudio}. */
export function RemoteVideo({ track, name }: SinkProps & { readonly name: string }) {
  const ref = useRef<HTMLVideoElement>(null);
  useTrack(ref, track);
  return (
    <video
      ref={ref}
      class="remote-video"
      autoplay
      muted
      playsInline
      hidden={track === null}
      aria-label={`Picture of ${name}`}
      data-testid="remote-video"
    />
  );
}

/** The own picture, mirrored as in a mirror. */
export function LocalVideo({ track }: SinkProps) {
  const ref = useRef<HTMLVideoElement>(null);
  useTrack(ref, track);
  return (
    <video
      ref={ref}
      class="local-video"
      autoplay
      muted
      playsInline
      hidden={track === null}
      aria-label="Your own picture"
      data-testid="local-video"
    />
  );
}
