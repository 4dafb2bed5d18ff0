# Installs the archive of the release: untested, as no Nix was at hand. The checksums are those of the archives.
{ lib, stdenv, fetchurl, autoPatchelfHook }:

let
  version = "@VERSION@";
  archives = {
@NIX@
  };
  archive = archives.${stdenv.hostPlatform.system} or (throw "wspeer has no archive for ${stdenv.hostPlatform.system}");
in
stdenv.mkDerivation {
  pname = "wspeer";
  inherit version;

  src = fetchurl {
    url = "@URL@/${archive.file}";
    inherit (archive) sha256;
  };

  nativeBuildInputs = lib.optional stdenv.hostPlatform.isLinux autoPatchelfHook;
  dontConfigure = true;
  dontBuild = true;

  installPhase = ''
    runHook preInstall
    mkdir -p $out
    cp -r include lib share $out/
    runHook postInstall
  '';

  meta = {
    description = "WebSockets that a game engine polls from its frame loop";
    homepage = "https://github.com/wspeer/wspeer";
    license = with lib.licenses; [ mit asl20 ];
    platforms = builtins.attrNames archives;
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
  };
}
