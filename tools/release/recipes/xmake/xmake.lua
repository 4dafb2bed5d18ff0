-- Installs the archive of the release: untested, as no xmake was at hand. The checksums are those of the archives.
package("wspeer")
    set_homepage("https://github.com/wspeer/wspeer")
    set_description("WebSockets that a game engine polls from its frame loop")
    set_license("MIT OR Apache-2.0")

@XMAKE@
    end

    on_load(function (package)
        if not package:config("shared") then
            package:add("defines", "WS_STATIC")
            if package:is_plat("windows", "mingw") then
                package:add("syslinks", "ws2_32", "bcrypt", "ntdll", "userenv", "crypt32", "secur32", "advapi32")
            elseif package:is_plat("macosx") then
                package:add("frameworks", "Security", "CoreFoundation")
            else
                package:add("syslinks", "pthread", "dl", "m")
            end
        end
    end)

    on_install(function (package)
        os.cp("include", package:installdir())
        os.mkdir(package:installdir("lib"))
        if package:config("shared") then
            os.trycp("lib/*.so*", package:installdir("lib"), {symlink = true})
            os.trycp("lib/*.dylib", package:installdir("lib"))
            os.trycp("lib/*.dll.a", package:installdir("lib"))
            os.trycp("lib/*.lib", package:installdir("lib"))
            os.trycp("bin/*.dll", package:installdir("bin"))
        else
            os.cp("lib/libwspeer.a", package:installdir("lib"))
        end
        os.cp("share/doc/wspeer/*", package:installdir("share/doc/wspeer"))
    end)

    on_test(function (package)
        assert(package:has_cfuncs("ws_version", {includes = "wspeer.h"}))
    end)
