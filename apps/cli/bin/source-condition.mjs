// A module hook with the effect of `node --conditions=earshot-source`, for a program that is already running.
export function resolve(specifier, context, nextResolve) {
  return nextResolve(specifier, { ...context, conditions: [...context.conditions, "earshot-source"] });
}
