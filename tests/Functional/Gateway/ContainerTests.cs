using System.Diagnostics;
using System.Globalization;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>The image as it is delivered, under podman: built from the Containerfile, run without rights, killed in the middle of a transfer.</summary>
public sealed class ContainerTests(ITestOutputHelper output) : IDisposable
{
    private const int Objects = 1_000, KillAfter = 400, User = 1654;
    private static readonly string[] Runtime = ["--runtime", "runc", "--ulimit", "nofile=20000:20000", "--ulimit", "nproc=1000:1000"];

    private readonly string work = Directory.CreateTempSubdirectory("dicomserverless-image-").FullName;
    private readonly string tag = $"localhost/dicom-gateway-test-{Environment.ProcessId}", name = $"dicom-gateway-test-{Environment.ProcessId}";

    [Fact]
    public async Task A_thousand_objects_go_through_the_container_which_is_killed_in_the_middle()
    {
        if (!Peers.Require("podman") || !Peers.Require("runc") || !Peers.Require("mmdebstrap") || !Peers.Require("dcmsend")) return;
        await BuildAsync();
        var spool = Path.Combine(work, "spool");
        Directory.CreateDirectory(spool);
        await RunAsync("chown", $"{User}:{User}", spool);
        var (dimse, http) = (FreePorts.Next(), FreePorts.Next());
        await RunAsync("podman",
        [
            "run", "-d", "--name", name, .. Runtime, "--read-only", "--cap-drop=all",
                "--security-opt=no-new-privileges", "--memory", "256m", "-p", $"127.0.0.1:{dimse}:11112",
            "-v", $"{spool}:/var/spool/dicom-gateway", "-e", "Gateway__Destinations__archive__Url=http://127.0.0.1:9/dicomweb",
                "-e", "Gateway__Http__Url=http://127.0.0.1:8042", "-e", "Gateway__Spool__MinFreeMiB=64", tag,
        ]);
        var files = Enumerable.Range(1, Objects).Select(WriteObject).ToList();
        await ReadyAsync();
        Assert.Equal(User.ToString(CultureInfo.InvariantCulture), (await RunAsync("podman", "top", name, "huser")).Split('\n')[1].Trim());
        Assert.NotEqual(0, await ExitCodeAsync("podman", "exec", name, "/bin/touch", "/app/x"));

        var acknowledged = await SendAsync(files, dimse, KillAfter);
        Assert.InRange(acknowledged, KillAfter, Objects - 1);
        output.WriteLine($"killed after {acknowledged} acknowledged objects");
        await RunAsync("podman", "start", name);
        await ReadyAsync();
        Assert.Equal(Objects - acknowledged, await SendAsync(files[acknowledged..], dimse, null));

        var waiting = Directory.EnumerateFiles(Path.Combine(spool, "archive"), "*.dcm", SearchOption.AllDirectories).Select(SopOf).ToHashSet();
        Assert.Equal(Enumerable.Range(1, Objects).Select(Sop).ToHashSet(), waiting);
        output.WriteLine($"{Objects} objects in the spool; memory in use "
            + $"{(await RunAsync("podman", "stats", "--no-stream", "--format", "{{.MemUsage}}", name)).Trim()}");
        await RunAsync("podman", "stop", "-t", "30", name);
        Assert.Equal("0", (await RunAsync("podman", "inspect", "--format", "{{.State.ExitCode}}", name)).Trim());
    }

    public void Dispose()
    {
        foreach (var arguments in new[] { new[] { "rm", "-f", name }, ["rmi", "-f", tag] })
        {
            if (!File.Exists("/usr/bin/podman")) break;
            using var process = Process.Start(new ProcessStartInfo("podman", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
        }
        Directory.Delete(work, recursive: true);
    }

    // No SDK image can be pulled in a test: what the first stage of the Containerfile does is done here, the second stage is built as it stands.
    private async Task BuildAsync()
    {
        var build = Path.Combine(work, "build");
        Directory.CreateDirectory(Path.Combine(build, "folders/var/spool/dicom-gateway"));
        Directory.CreateDirectory(Path.Combine(build, "folders/etc/dicom-gateway"));
        // A backslash at its end continues a line on the next one.
        var publish = File.ReadAllText(Path.Combine(Repository.Root, "edge-gateway/Containerfile")).Replace("\\\n", "", StringComparison.Ordinal)
            .Split('\n').Single(line => line.StartsWith("RUN dotnet publish", StringComparison.Ordinal));
        // Built apart from the tree, where other tests build the same projects.
        await RunAsync("bash", "-c", publish["RUN ".Length..].Replace("/app", Path.Combine(build, "app"), StringComparison.Ordinal)
            + " --artifacts-path " + Path.Combine(work, "artifacts"));
        var tar = Path.Combine(work, "base.tar");
        await RunAsync("mmdebstrap", "--variant=extract", "--include=libc6,libgcc-s1,libstdc++6,libssl3,zlib1g,ca-certificates,tzdata,base-files,netbase",
            "bookworm", tar);
        await RunAsync("podman", "import", tar, tag + "-base");
        try
        {
            await RunAsync("podman", ["build", .. Runtime, "--format", "docker", "--build-context", $"build={build}", "--build-arg",
                $"SDK={tag}-base", "--build-arg", $"BASE={tag}-base", "-f", Path.Combine(Repository.Root, "edge-gateway/Containerfile"), "-t", tag, build]);
            var size = long.Parse((await RunAsync("podman", "image", "inspect", "--format", "{{.Size}}", tag)).Trim(), CultureInfo.InvariantCulture);
            output.WriteLine($"image: {size / 1e6:F1} MB");
            Assert.InRange(size, 1_000_000, 90_000_000);
        }
        finally
        {
            await RunAsync("podman", "rmi", "-f", tag + "-base");
        }
    }

    private async Task ReadyAsync()
    {
        for (var watch = Stopwatch.StartNew(); await ExitCodeAsync("podman", "exec",
            name, "/app/DicomServerless.EdgeGateway", "health") != 0; await Task.Delay(200))
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), await RunAsync("podman", "logs", name));
    }

    // Gives how many objects were acknowledged; kills the container after some of them.
    private async Task<int> SendAsync(List<string> files, int port, int? killAfter)
    {
        using var process = Process.Start(new ProcessStartInfo("dcmsend",
            ["-v", "-aec", "DICOMGW", "127.0.0.1", port.ToString(CultureInfo.InvariantCulture), .. files])
            { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["TCP_NODELAY"] = "1" } })!;
        var standard = process.StandardOutput.ReadToEndAsync();
        var (acknowledged, killing) = (0, (Task?)null);
        while (await process.StandardError.ReadLineAsync() is { } line) // where DCMTK's log goes
        {
            if (!line.Contains("Received C-STORE Response (Success)", StringComparison.Ordinal)) continue;
            if (++acknowledged == killAfter) killing = RunAsync("podman", "kill", name);
        }
        await process.WaitForExitAsync();
        await standard;
        if (killing is not null) await killing;
        return acknowledged;
    }

    private string WriteObject(int number)
    {
        var path = Path.Combine(work, $"{number:D4}.dcm");
        File.WriteAllBytes(path, TestObject.Of($"1.2.840.99.{number / 100 + 1}", $"1.2.840.99.{number / 100 + 1}.1", Sop(number))
            .Add(0x00080060, "CS", "OT").Add(0x00280010, "US", [16, 0]).Add(0x7FE00010, "OW", new byte[20_000]).ToFile());
        return path;
    }

    private static string Sop(int number) => $"1.2.840.99.7.{number}";

    private static string SopOf(string path)
    {
        using var scanner = new InstanceScanner();
        scanner.Push(File.ReadAllBytes(path));
        Assert.Equal(ScanStatus.Complete, scanner.Complete());
        return scanner.Result!.Uids.SopInstance.Value;
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (code, text) = await OutputAsync(program, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)}:\n{text}");
        return text;
    }

    private static async Task<int> ExitCodeAsync(string program, params string[] arguments) => (await OutputAsync(program, arguments)).Code;

    private static async Task<(int Code, string Text)> OutputAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
            { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root })!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, process.ExitCode == 0 ? text : text + await errors);
    }
}
