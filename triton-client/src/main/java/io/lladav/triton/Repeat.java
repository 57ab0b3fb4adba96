package io.lladav.triton;

/// What asking again can do, after a failure. It concerns the same request, sent as it was.
public enum Repeat {
  /// The request was not run, and this server may take it later: ask again after a wait, here or elsewhere.
  SAFE,
  /// The request was not run, and this server will not run it as it stands: ask another server, at once.
  ELSEWHERE,
  /// The request may have been run, in part or to its end: ask again only where running it twice does no harm.
  UNSAFE,
  /// The same request fails again, on every server set up like this one: change the request or the setup.
  USELESS
}
