import type { HomeModel } from "../view-models/home.ts";
import { LendQuestion } from "./lend-question.tsx";
import { NoticeList } from "./notice-list.tsx";
import { RequestList } from "./request-list.tsx";

/** What came in and waits for an answer, above the contacts. */
export function Arrivals({ home }: { readonly home: HomeModel }) {
  return (
    <>
      <LendQuestion home={home} />
      <RequestList home={home} />
      <NoticeList model={home} />
    </>
  );
}
