using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using DicomServerless.Bench.Archive;
using DicomServerless.Bench.Gateway;

// archive, gateway and memory measure the published program as a whole, index the archive over stores in memory; everything else goes to BenchmarkDotNet.
switch (args.FirstOrDefault())
{
    case "archive":
        await ArchiveBench.RunAsync(args.Contains("--quick"), Option("--only="),
            Option("--instances=") is { } number ? int.Parse(number, CultureInfo.InvariantCulture) : null);
        return;
    case "gateway":
        await GatewayBench.RunAsync(args.Contains("--quick"), Option("--only="));
        return;
    case "index":
        await IndexBench.RunAsync(Option("--instances=") is { } size ? int.Parse(size, CultureInfo.InvariantCulture) : 10_000);
        return;
    case "memory":
        await MemoryBench.RunAsync(args.Contains("--quick"));
        return;
}
// In process: BenchmarkDotNet would look for a project file with the assembly's name to build another.
var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(BenchmarkDotNet.Toolchains.InProcess.Emit.InProcessEmitToolchain.Instance));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);

string? Option(string name) => args.FirstOrDefault(arg => arg.StartsWith(name, StringComparison.Ordinal))?[name.Length..];
