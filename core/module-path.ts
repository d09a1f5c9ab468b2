/** Whether a name is a module's path rather than an algorithm's name. */
export function isModulePath(name: string): boolean {
  return /[\\/]/.test(name) || /\.(m?js|m?ts)$/.test(name);
}

/** The same where a name may also be a formula, in which a slash divides. */
export function isModuleFile(name: string): boolean {
  return /^(\.{0,2}|[A-Za-z]:)[\\/]/.test(name) || /\.(m?js|m?ts)$/.test(name);
}
