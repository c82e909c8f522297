using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>Opens associations to the remote AEs that the configuration names.</summary>
internal sealed class RemoteAes(GatewayConfiguration configuration, TimeProvider time)
{
    private const int MaxContexts = 128;
    private static readonly Uid[] Plain = [TransferSyntax.ExplicitVrLittleEndian.Uid, TransferSyntax.ImplicitVrLittleEndian.Uid];

    // What archives usually hold, for objects whose archive does not say how they are stored.
    private static readonly Uid[] Usual =
    [
        TransferSyntax.JpegLosslessSv1.Uid, TransferSyntax.Jpeg2000Lossless.Uid,
            TransferSyntax.JpegLsLossless.Uid, TransferSyntax.RleLossless.Uid, TransferSyntax.JpegBaseline.Uid,
        TransferSyntax.JpegExtended.Uid, TransferSyntax.Jpeg2000.Uid,
    ];

    /// <summary>The AE with a title, or null.</summary>
    public RemoteAeOptions? Find(string aeTitle) =>
        configuration.Current.RemoteAes.Where(item => (item.Value.AeTitle.Length > 0 ? item.Value.AeTitle : item.Key) == aeTitle)
            .Select(item => item.Value).FirstOrDefault();

    /// <summary>Opens an association.</summary>
    /// <exception cref="IOException">It cannot be opened: no connection, rejected, aborted.</exception>
    public Task<Association> ConnectAsync(RemoteAeOptions remote, string aeTitle,
        string callingAe, IReadOnlyList<ContextProposal> contexts, CancellationToken cancellationToken)
    {
        var dimse = configuration.Current.Dimse;
        var tls = !remote.Tls ? null : new TlsClientOptions
        {
            CaFile = OrNull(remote.AuthorityPath), CertificateFile = OrNull(remote.CertificatePath),
                KeyFile = OrNull(remote.KeyPath), CheckHostName = remote.CheckHostName,
        };
        var client = new AssociationClient(OptionsOf(dimse), time);
        return client.ConnectAsync(new RemoteAe(remote.Host, remote.Port, aeTitle, remote.CallingAeTitle.Length > 0 ? remote.CallingAeTitle : callingAe, tls),
            contexts, cancellationToken);
    }

    /// <summary>Sizes and times from the configuration.</summary>
    public static AssociationOptions OptionsOf(DimseOptions dimse) => new()
    {
        MaxPduLength = (uint)dimse.MaxPduLength, Artim = TimeSpan.FromSeconds(dimse.ArtimSeconds),
            Idle = TimeSpan.FromSeconds(dimse.IdleSeconds), Stall = TimeSpan.FromSeconds(dimse.MessageSeconds),
    };

    /// <summary>
    /// The contexts for a set of objects: each as it is stored, each compressed syntax in a context of its own so that its acceptance is known, and the plain
    /// ones (E15).
    /// </summary>
    public static List<ContextProposal> ContextsFor(IEnumerable<RetrieveItem> items)
    {
        var contexts = new List<ContextProposal>();
        foreach (var sopClass in items.GroupBy(item => item.SopClass))
        {
            var stored = sopClass.Select(item => item.TransferSyntax).Distinct().ToList();
            contexts.Add(new ContextProposal(sopClass.Key, Plain));
            contexts.AddRange(stored.OfType<Uid>().Where(syntax => !Plain.Contains(syntax)).Select(syntax => new ContextProposal(sopClass.Key, [syntax])));
            if (stored.Contains(null))
                contexts.AddRange(Usual.Where(syntax => !stored.Contains(syntax)).Select(syntax => new ContextProposal(sopClass.Key, [syntax])));
        }
        return contexts.Count <= MaxContexts ? contexts : contexts[..MaxContexts];
    }

    private static string? OrNull(string path) => path.Length > 0 ? path : null;
}
