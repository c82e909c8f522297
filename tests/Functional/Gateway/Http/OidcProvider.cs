using System.Diagnostics;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway.Http;

/// <summary>The OpenID provider of the npm package oidc-provider, which can be told to hand out false ID tokens.</summary>
internal sealed class OidcProvider : IAsyncDisposable
{
    private readonly Process process;

    private OidcProvider(Process process, int port) => (this.process, Url) = (process, $"http://127.0.0.1:{port}");

    public string Url { get; }

    /// <param name="callback">Where browsers may be sent back to.</param>
    public static async Task<OidcProvider> StartAsync(int port, string callback)
    {
        await NodePackages.InstallAsync();
        var process = Process.Start(new ProcessStartInfo("node",
        [
            Path.Combine(Repository.Root, "tests/Functional/Gateway/Http/oidc-provider.mjs"), NodePackages.Folder, $"{port}", callback,
        ]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        if (await process.StandardOutput.ReadLineAsync() is null) throw new InvalidOperationException(await errors);
        _ = process.StandardOutput.ReadToEndAsync(); // so that its pipe never fills
        return new OidcProvider(process, port);
    }

    /// <summary>What is wrong with the next ID tokens; nothing if empty.</summary>
    public async Task BendAsync(string by)
    {
        using var client = new HttpClient();
        (await client.PostAsync($"{Url}/bend?by={by}", null)).EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
