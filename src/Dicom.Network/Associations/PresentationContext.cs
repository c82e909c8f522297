namespace DicomServerless.Dicom.Network;

/// <summary>An accepted presentation context.</summary>
/// <param name="Id">Its id.</param>
/// <param name="AbstractSyntax">The SOP class.</param>
/// <param name="TransferSyntax">The chosen transfer syntax.</param>
/// <param name="RequestorIsScu">Whether the requestor of the association may be SCU; the default role (PS3.7 D.3.3.4).</param>
/// <param name="RequestorIsScp">Whether the requestor of the association may be SCP, as for C-GET.</param>
public sealed record PresentationContext(byte Id, Uid AbstractSyntax, Uid TransferSyntax, bool RequestorIsScu = true, bool RequestorIsScp = false);
