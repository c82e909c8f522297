using System.Diagnostics;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Functional.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>Gateway, function app and storage emulator, with names for the programs that tests start beside them.</summary>
public sealed class GatewaySystem : IAsyncLifetime
{
    private int numbers;

    internal GatewayProcess Gateway { get; private set; } = null!;

    internal FunctionsProcess Functions { get; private set; } = null!;

    internal Azurite Azurite { get; private set; } = null!;

    internal HttpClient Http { get; } = new();

    internal TestAuthority Authority { get; } = new();

    /// <summary>DICOMweb of the function app itself.</summary>
    internal string DicomWeb => Functions.Url + "/dicomweb";

    /// <summary>A port for each remote AE that the gateway knows.</summary>
    internal Dictionary<string, int> Remotes { get; } = new[] { "DEST", "OTHER", "DEAD", "MODALITY", "ORTHANC", "GDCM" }.ToDictionary(name =>
        name, _ => FreePorts.Next());

    internal int TlsPort { get; } = FreePorts.Next();

    public async ValueTask InitializeAsync()
    {
        Authority.Issue("server", "localhost");
        Authority.Issue("client", "modality");
        Azurite = await Azurite.StartAsync();
        Functions = await FunctionsProcess.StartAsync(Azurite.ConnectionString);
        var settings = new Dictionary<string, string>
        {
            ["Gateway__Dimse__Tls__Port"] = $"{TlsPort}", ["Gateway__Dimse__Tls__CertificatePath"] = Authority.At("server.pem"),
                ["Gateway__Dimse__Tls__KeyPath"] = Authority.At("server.key"),
            ["Gateway__Dimse__Tls__ClientAuthorityPath"] = Authority.At("ca.pem"), ["Gateway__Dimse__Tls__ClientCertificates"] = "Required",
            ["Gateway__Aes__DICOMGW__DuplicatePolicy"] = "replace", ["Gateway__Commitment__RetrySeconds"] = "1",
        };
        foreach (var (name, port) in Remotes)
            (settings[$"Gateway__RemoteAes__{name}__Host"], settings[$"Gateway__RemoteAes__{name}__Port"]) = ("127.0.0.1", $"{port}");
        Gateway = await GatewayProcess.StartAsync(DicomWeb, settings);
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        Functions.Dispose();
        Azurite.Dispose();
        Http.Dispose();
        Authority.Dispose();
    }

    /// <summary>A study that no other test has.</summary>
    internal string NewStudy() => $"1.2.826.0.1.3680043.10.1338.5.{Interlocked.Increment(ref numbers)}";

    /// <summary>An object with what queries ask for.</summary>
    internal static TestObject Object(string study, int number, string patient = "P1", string name = "Doe^Jane") =>
        TestObject.Of(study, $"{study}.1", $"{study}.1.{number}")
        .Add(0x00080020, "DA", "20240229").Add(0x00080060, "CS", "OT").Add(0x00081030, "LO", "Head")
            .Add(0x00100010, "PN", name).Add(0x00100020, "LO", patient).Add(0x00200013, "IS", $"{number}");

    /// <summary>Stores the first objects of a study and, unless the link is down, waits until they are in the archive.</summary>
    internal async Task StoreAsync(string study, int count, bool waits = true, string patient = "P1", string name = "Doe^Jane")
    {
        await using var association = await Modality.ConnectAsync(Gateway);
        for (var i = 1; i <= count; i++)
            Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(association, Object(study, i, patient, name).DataSet(), $"{study}.1.{i}"));
        await association.ReleaseAsync(default);
        if (waits) await Gateway.WaitUntilDrainedAsync();
    }

    /// <summary>Runs a foreign program to its end.</summary>
    internal static async Task<string> RunAsync(int expected, string program, params string[] arguments)
    {
        var (exit, output) = await Scp.RunAsync(program, arguments);
        Assert.True((exit == 0) == (expected == 0), $"{program} {string.Join(' ', arguments)} ended with {exit}:\n{output}");
        return output;
    }

    /// <summary>Waits for something that another program does.</summary>
    internal static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var watch = Stopwatch.StartNew(); !await condition(); await Task.Delay(50))
            if (watch.Elapsed > TimeSpan.FromSeconds(60)) throw new TimeoutException($"Not within a minute: {what}");
    }
}
