using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Dicom.Network;

/// <summary>TLS of a listening address. Files that have changed are read before the next handshake; when they are bad, the old ones stay.</summary>
internal sealed partial class TlsServer
{
    private readonly TlsServerOptions options;
    private readonly ILogger log;
    private readonly CertificateSource files;

    public TlsServer(TlsServerOptions options, ILogger log)
    {
        (this.options, this.log) = (options, log);
        if (options.ClientCertificates != ClientCertificates.None && options.CaFile is null)
            throw new IOException("Client certificates are asked for, but there is no file of certificate authorities to check them against.");
        files = new CertificateSource(options.CertificateFile, options.KeyFile, options.CaFile);
    }

    public async Task<SslStream> AuthenticateAsync(Stream raw, CancellationToken cancellationToken)
    {
        if (files.Refresh(out var problem))
        {
            if (problem is null) Reloaded(log);
            else NotReloaded(log, problem);
        }
        var tls = new SslStream(raw, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = files.Certificate,
                    ClientCertificateRequired = options.ClientCertificates != ClientCertificates.None,
                    EnabledSslProtocols = TlsProfiles.Protocols(options.Profile),
                    CipherSuitesPolicy = TlsProfiles.Suites(options.Profile),
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    RemoteCertificateValidationCallback = (_, shown, chain, _) => shown is not null
                        ? files.IsTrusted(shown, chain)
                        : options.ClientCertificates != ClientCertificates.Required,
                },
                cancellationToken);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    [LoggerMessage(3311, LogLevel.Information, "The certificate files have changed and were read again")]
    private static partial void Reloaded(ILogger log);

    [LoggerMessage(3312, LogLevel.Error, "The certificate files have changed but cannot be used; the old certificate stays: {Reason}")]
    private static partial void NotReloaded(ILogger log, string reason);
}
