using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Functional.Network;

/// <summary>A server on loopback that accepts all storage and verification and keeps what it is sent.</summary>
internal sealed class Scp : IAsyncDisposable
{
    private readonly AssociationServer server;

    private Scp(AssociationServerOptions options) =>
        server = new AssociationServer(options, (request, _) =>
            new(request.CalledAeTitle == "NOBODY" ? AcceptorDecision.Reject(RejectReason.CalledAeTitleNotRecognized) : AcceptorDecision.Accept(Policy)),
            ServeAsync, TimeProvider.System, NullLogger.Instance);

    /// <summary>All of the standard, the plain ones first.</summary>
    public static Uid[] Syntaxes { get; } = [TransferSyntax.ExplicitVrLittleEndian.Uid, .. TransferSyntax.All.Select(syntax => syntax.Uid)];

    public static AcceptorPolicy Policy { get; } = new()
    {
        AbstractSyntax = uid => uid == WellKnownUids.Verification || UidNames.IsStorage(uid.Value)
            ? new(Syntaxes) : null,
    };

    /// <summary>Data sets by SOP instance.</summary>
    public ConcurrentDictionary<string, (Uid TransferSyntax, byte[] DataSet)> Stored { get; } = [];

    public AssociationServer Server => server;

    public int Port => server.EndPoints[0].Port;

    public string? LastClientSubject { get; private set; }

    public static async Task<Scp> StartAsync(TlsServerOptions? tls = null, AssociationServerOptions? options = null)
    {
        var scp = new Scp(options ?? new());
        await scp.server.ApplyAsync([new(new IPEndPoint(IPAddress.Loopback, 0), tls)], default);
        return scp;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int Exit, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    private async Task ServeAsync(Association association, CancellationToken cancellationToken)
    {
        LastClientSubject = association.PeerCertificate?.Subject;
        while (await association.ReceiveAsync(cancellationToken) is { } message)
        {
            if (await message.ReadWholeDataSetAsync(64 * 1024 * 1024, cancellationToken) is { Length: > 0 } dataSet)
                Stored[message.Command.AffectedSopInstanceUid.Value] = (message.Context.TransferSyntax, dataSet);
            await association.SendAsync(DimseCommand.Response(message.Command, DimseStatus.Success), message.Context, cancellationToken);
        }
    }
}
