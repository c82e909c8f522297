using System.Diagnostics;
using System.Net.Sockets;

namespace DicomServerless.Functional.Gateway;

/// <summary>A foreign server, until it is disposed of.</summary>
internal sealed class Program : IAsyncDisposable
{
    private readonly Process process;

    private Program(Process process) => this.process = process;

    /// <summary>Starts it and waits until its port is open.</summary>
    public static async Task<Program> StartAsync(string name, int port, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await GatewaySystem.UntilAsync(
            async () =>
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await socket.ConnectAsync("127.0.0.1", port);
                    return true;
                }
                catch (SocketException) when (!process.HasExited)
                {
                    return false;
                }
            },
            $"{name} listens");
        return new Program(process);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
