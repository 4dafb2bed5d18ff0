using System;
using System.Threading;

/// <summary>Usage: Tests.exe GROUP...</summary>
static class Program
{
    static int Main(string[] groups)
    {
        foreach (string name in groups)
        {
            Check.Group(name);
            switch (name)
            {
                case "calls": Calls.Run(); break;
                case "talk": Talk.Run(); break;
                case "loans": Loans.Run(); break;
                case "wrong": WrongUse.Run(); break;
                case "allocations": Allocations.Run(); break;
                case "lifetimes": Lifetimes.Run(); break;
                case "threads": Threads.Run(); break;
                case "async": Async.Run(); break;
                case "frames": Frames.Run(); break;
                case "domains": Domains.Run(); break;
                case "values": Values.Run(); break;
                case "component": Component.Run(); break;
                default: throw new ArgumentException("no such group: " + name);
            }
        }
        // Mono 6.8 may never end if a thread of its pool has begun just before Main ends; nothing tells.
        if (Type.GetType("Mono.Runtime") != null) Thread.Sleep(200);
        return Check.Failures == 0 ? 0 : 1;
    }
}
