using System.Reflection;

namespace DicomServerless.Dev;

/// <summary>What the command line asked for.</summary>
internal sealed record DevOptions(int FunctionsPort, int DimsePort, int DashboardPort, int AzuritePort, string Data, bool SendSamples, bool IsUnderHost)
{
    public string ServiceUrl => $"http://127.0.0.1:{FunctionsPort}";

    public string DashboardUrl => $"http://127.0.0.1:{DashboardPort}";

    public string DicomWebUrl => ServiceUrl + "/dicomweb";

    // The emulator's account and key are public and fixed.
    public string ConnectionString =>
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
        + "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;" +
        $"BlobEndpoint=http://127.0.0.1:{AzuritePort}/devstoreaccount1;"
        + $"QueueEndpoint=http://127.0.0.1:{AzuritePort + 1}/devstoreaccount1;"
        + $"TableEndpoint=http://127.0.0.1:{AzuritePort + 2}/devstoreaccount1;";
}

/// <summary>Where things lie in the repository.</summary>
internal static class Folders
{
    public static string Dev { get; } = Metadata("DevFolder");

    public static string Functions { get; } = Metadata("FunctionsFolder");

    /// <summary>Where <c>func start</c> finds host.json and the project.</summary>
    public static string FunctionsProject => Path.GetFullPath(Path.Combine(Dev, "../functions"));

    public static string Gateway { get; } = Metadata("GatewayFolder");

    public static string Samples => Path.Combine(Dev, "samples");

    public static string Infra => Path.GetFullPath(Path.Combine(Dev, "../infra"));

    /// <summary>Made once, for tests and packages too.</summary>
    public static string Viewer => Path.GetFullPath(Path.Combine(Dev, "../artifacts/viewer"));

    /// <summary>A script where programs have extensions.</summary>
    public static string Npm => OperatingSystem.IsWindows() ? "npm.cmd" : "npm";

    public static string DefaultData => Path.Combine(Path.GetFullPath(Path.Combine(Dev, "..")), ".dev");

    private static string Metadata(string key) =>
        typeof(Folders).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == key).Value!;
}

/// <summary>Something that the user can mend, in words for the user.</summary>
internal sealed class StartException(string message) : Exception(message);
