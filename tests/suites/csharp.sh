#!/usr/bin/env bash
# The C# binding on Mono, .NET Core 3.1 and .NET 8: warnings are errors; layouts, lifetimes, misuse, component, samples, package.
. "$(dirname "$0")/../lib/common.sh"
need mcs mono clang openssl build/dotnet/dotnetcore2/bin/dotnet build/dotnet/net8/sdk
rc=0
out=build/csharp
package=bindings/csharp
tests=(tests/csharp/{Check,Program,Calls,Talk,Loans,WrongUse,Allocations,Lifetimes,Domains,Component,Threads,Values}.cs
  tests/csharp/{Async,AsyncParts,Frames}.cs)
mkdir -p $out
ln -sf "$(cd "$LIBDIR" && pwd)/libwspeer.so" $out/libwspeer.so

# build WHAT FLAGS...: one assembly, all warnings as errors
build() {
  local what=$1
  shift
  if mcs -langversion:7.2 -warn:4 -warnaserror -nologo -lib:$out "$@"; then
    echo "ok - build: $what"
  else
    echo "not ok - build: $what"
    rc=1
  fi
}

python3 "$package/tools~/package.py" --check || rc=1
build Wspeer.dll -unsafe -target:library -out:$out/Wspeer.dll $package/Runtime/Core/*.cs
build "UnityEngine's stub" -target:library -out:$out/UnityStub.dll tests/csharp/UnityStub.cs
build "the component in a player" -target:library -r:Wspeer.dll -r:UnityStub.dll -out:$out/player.dll \
  $package/Runtime/Unity/*.cs
build "the component in the editor" -define:UNITY_EDITOR -target:library -r:Wspeer.dll -r:UnityStub.dll \
  -out:$out/Wspeer.Unity.dll $package/Runtime/Unity/*.cs
for sample in MinimalClient EchoServer Chat; do
  build "$sample in Unity" -define:UNITY_2021_3_OR_NEWER -target:library -r:Wspeer.dll -r:Wspeer.Unity.dll \
    -r:UnityStub.dll -out:$out/unity-sample.dll "$package/Samples~/$sample"/*.cs
  build "$sample" -r:Wspeer.dll "-out:$out/$sample.exe" "$package/Samples~/$sample"/*.cs
done
build Layout.exe -r:Wspeer.dll -r:System.dll -r:System.Core.dll -out:$out/Layout.exe tests/csharp/Layout.cs
build Tests.exe -unsafe -r:Wspeer.dll -r:Wspeer.Unity.dll -r:UnityStub.dll -r:System.Core.dll -out:$out/Tests.exe \
  "${tests[@]}"
[ $rc = 0 ] || exit $rc

python3 tests/abi/layout.py --fields include/wspeer.h > build/tests/layout_fields.h
compile layout -Ibuild/tests
if diff <(build/tests/layout | sort) <(mono $out/Layout.exe | sort); then
  echo "ok - layout: $(mono $out/Layout.exe | wc -l) sizes and offsets equal in C# and C"
else
  echo "not ok - layout: sizes and offsets in C# and C"
  rc=1
fi
mono $out/Layout.exe 32 > build/tests/layout32.c
for target in i686-linux-gnu armv7a-linux-gnueabihf i686-windows-msvc; do
  if clang -target $target -std=c11 -ffreestanding -fsyntax-only -Wno-pragma-once-outside-header -Iinclude \
    build/tests/layout32.c; then
    echo "ok - layout: $(grep -c _Static_assert build/tests/layout32.c) sizes and offsets with 32-bit pointers on $target"
  else
    echo "not ok - layout: 32-bit pointers on $target"
    rc=1
  fi
done

for group in calls talk loans wrong values allocations lifetimes threads domains component async; do
  timeout 120 mono --debug $out/Tests.exe $group || { echo "not ok - $group ended with $?"; rc=1; }
done

# The same on .NET, where application domains cannot be unloaded.
net=$out/net
mkdir -p $net
ln -sf "$(cd "$LIBDIR" && pwd)/libwspeer.so" $net/libwspeer.so
if tests/csharp/mcs-net -unsafe -target:library -out:$net/Wspeer.dll $package/Runtime/Core/*.cs &&
  tests/csharp/mcs-net -target:library -out:$net/UnityStub.dll tests/csharp/UnityStub.cs &&
  tests/csharp/mcs-net -define:UNITY_EDITOR -target:library -lib:$net -r:Wspeer.dll -r:UnityStub.dll \
    -out:$net/Wspeer.Unity.dll $package/Runtime/Unity/*.cs &&
  tests/csharp/mcs-net -unsafe -lib:$net -r:Wspeer.dll -r:Wspeer.Unity.dll -r:UnityStub.dll -out:$net/Tests.dll \
    "${tests[@]}" &&
  timeout 200 tests/csharp/net $net/Tests.dll calls talk loans wrong values allocations lifetimes threads component async \
    > $net/log && ! grep -q '^not ok' $net/log; then
  echo "ok - .NET: $(grep -c '^ok' $net/log) tests on .NET Core 3.1"
else
  cat $net/log
  echo "not ok - .NET"
  rc=1
fi

# On .NET 8, compiled by Microsoft's compiler, which knows `await foreach`.
net8=$out/net8
mkdir -p $net8
ln -sf "$(cd "$LIBDIR" && pwd)/libwspeer.so" $net8/libwspeer.so
# 0618, 0672: application domains are obsolete there.
if tests/csharp/csc -unsafe -target:library -out:$net8/Wspeer.dll $package/Runtime/Core/*.cs &&
  tests/csharp/csc -target:library -out:$net8/UnityStub.dll tests/csharp/UnityStub.cs &&
  tests/csharp/csc -define:UNITY_EDITOR -target:library -lib:$net8 -r:Wspeer.dll -r:UnityStub.dll \
    -out:$net8/Wspeer.Unity.dll $package/Runtime/Unity/*.cs &&
  tests/csharp/csc -nowarn:0618,0672 -unsafe -lib:$net8 -r:Wspeer.dll -r:Wspeer.Unity.dll -r:UnityStub.dll \
    -out:$net8/Tests.dll "${tests[@]}" &&
  timeout 200 tests/csharp/net8 $net8/Tests.dll calls talk loans wrong values allocations lifetimes threads component \
    async > $net8/log && ! grep -q '^not ok' $net8/log; then
  echo "ok - .NET: $(grep -c '^ok' $net8/log) tests on .NET 8"
else
  cat $net8/log
  echo "not ok - .NET 8"
  rc=1
fi

# The project file builds netstandard2.1 with MSBuild, in a copy of the folders that it names.
project=$out/project
rm -rf $project
mkdir -p $project/Runtime
cp -r "$package/dotnet~" $project/
cp -r $package/Runtime/Core $project/Runtime/
ln -sf "$(cd "$LIBDIR" && pwd)/libwspeer.so" $project/libwspeer.so
if HOME=$PWD/$project DOTNET_ROLL_FORWARD=LatestMajor DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
  DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 timeout 120 build/dotnet/net8/dotnet build -nologo \
  -nodeReuse:false -p:UseSharedCompilation=false -p:TargetFrameworks=netstandard2.1 -o $project "$project/dotnet~" \
  > $project/log &&
  tests/csharp/csc -lib:$project -r:Wspeer.dll -out:$project/Foreach.dll tests/csharp/{Foreach,AsyncParts,Check}.cs &&
  timeout 60 tests/csharp/net8 $project/Foreach.dll; then
  echo "ok - Wspeer.csproj builds netstandard2.1"
else
  cat $project/log
  echo "not ok - Wspeer.csproj"
  rc=1
fi

# As in Unity, where each frame polls WebSocketClient.
mkdir -p $out/unity
build "Wspeer.dll as for Unity" -define:UNITY_5_3_OR_NEWER -unsafe -target:library -out:$out/unity/Wspeer.dll \
  $package/Runtime/Core/*.cs
cp -P $out/{Tests.exe,Wspeer.Unity.dll,UnityStub.dll,libwspeer.so} $out/unity/
timeout 60 mono --debug $out/unity/Tests.exe frames || { echo "not ok - frames ended with $?"; rc=1; }

# Like on iOS, where the library is part of the program.
mkdir -p $out/internal
build "Wspeer.dll as for iOS" -define:UNITY_IOS -unsafe -target:library -out:$out/internal/Wspeer.dll \
  $package/Runtime/Core/*.cs
cp $out/{Tests.exe,Wspeer.Unity.dll,UnityStub.dll} $out/internal/
if LD_PRELOAD=$out/libwspeer.so timeout 120 mono --debug $out/internal/Tests.exe talk loans > $out/internal.log &&
  ! grep -q '^not ok' $out/internal.log; then
  echo "ok - __Internal: $(grep -c '^ok' $out/internal.log) tests with the library in the program itself"
else
  cat $out/internal.log
  echo "not ok - __Internal"
  rc=1
fi

# Like in WebGL, where the library is JavaScript in the page.
mkdir -p $out/webgl
build "Wspeer.dll as for WebGL" -define:UNITY_WEBGL -unsafe -target:library -out:$out/webgl/Wspeer.dll \
  $package/Runtime/Core/*.cs
build "the component as for WebGL" -define:UNITY_WEBGL -target:library -r:$out/webgl/Wspeer.dll -r:UnityStub.dll \
  -out:$out/webgl/Wspeer.Unity.dll $package/Runtime/Unity/*.cs
lacking=$(grep -oE 'extern [a-z]+ ws_[a-z_]+|extern .*\bws_[a-z_]+\(' $package/Runtime/Core/Native.cs |
  grep -oE 'ws_[a-z_]+' | sort -u | while read -r name; do
  grep -qE "^  $name: function" bindings/web/*.js || echo "$name"
done)
if [ -z "$lacking" ] && grep -qa __Internal $out/webgl/Wspeer.dll; then
  echo "ok - WebGL: every function that the C# layer imports is in the page's library"
else
  echo "not ok - WebGL: the page's library lacks $lacking"
  rc=1
fi

# The program's error if the native library is missing, too old, or has another binary interface.
mkdir -p $out/alone
cp $out/{Wspeer.dll,MinimalClient.exe} $out/alone/
says() {
  if (cd $out/alone && timeout 60 mono MinimalClient.exe ws://localhost 2>&1 < /dev/null) > $out/alone.log; then
    echo "not ok - library: $1 does not fail"
    rc=1
  elif grep -q "$2" $out/alone.log; then
    echo "ok - library: $1"
  else
    cat $out/alone.log
    echo "not ok - library: $1"
    rc=1
  fi
}
rm -f $out/alone/libwspeer.so
says "a missing library" "put libwspeer.so"
echo 'unsigned ws_abi_version(void) { return 1; } int ws_last_error(char *b, long c, long *l) { *b = 0; *l = 0; return 0; }' |
  ${CC:-cc} -shared -fPIC -x c - -o $out/alone/libwspeer.so
says "a library that is too old" "is older than this assembly"
echo 'unsigned ws_abi_version(void) { return 2; }' | ${CC:-cc} -shared -fPIC -x c - -o $out/alone/libwspeer.so
says "a library with another binary interface" "version 2 of the binary interface"

timeout 120 python3 tests/csharp/samples.py $out || rc=1

if [ "$(uname -sm)" = "Linux x86_64" ]; then
  timeout 120 "$package/tools~/package.py" &&
    python3 tests/csharp/packed.py build/com.wspeer.wspeer-*.tgz $out/unpacked || { echo "not ok - packed"; rc=1; }
  build "what was packed" -unsafe -target:library -out:$out/packed.dll $out/unpacked/package/Runtime/Core/*.cs
fi
exit $rc
